/** State WatchSnapshot: the watch over the snapshot; it also keeps the lease, and the holders from leaving. */
import { keepLease } from '../core/run/during-run.ts';
import { leaveSignOfLife } from '../core/run/sign-of-life.ts';
import { watchSnapshot } from '../core/snapshot/watch-snapshot.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('WatchSnapshot', async (deps, input) => {
  const run = await keepLease(deps, input.runId);
  const look = await watchSnapshot(deps, input);
  if (!look.isDone) await leaveSignOfLife(deps, run);
  return look;
});
export const handler = onLambda('WatchSnapshot', makeHandler);
