/** State WatchSnapshot: the watch over the snapshot; it also keeps the lease. */
import { keepLease } from '../core/run/during-run.ts';
import { watchSnapshot } from '../core/snapshot/watch-snapshot.ts';
import { handleState } from './handle-state.ts';

export const makeHandler = handleState('WatchSnapshot', async (deps, input) => {
  await keepLease(deps, input.runId);
  return watchSnapshot(deps, input);
});
