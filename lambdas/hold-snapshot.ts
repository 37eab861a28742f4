/** State HoldSnapshot: locks all tables, fixes the snapshot, leaves two detached sessions that hold it. */
import { duringRun } from '../core/run/during-run.ts';
import { holdSnapshot } from '../core/snapshot/hold-snapshot.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('HoldSnapshot', (deps, input) =>
  duringRun(deps, 'HoldSnapshot', input.runId, () => holdSnapshot(deps, input)),
);
export const handler = onLambda('HoldSnapshot', makeHandler);
