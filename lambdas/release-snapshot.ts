/** State ReleaseSnapshot: every row is in the vault: ends the watch and the holders. */
import { duringRun } from '../core/run/during-run.ts';
import { releaseSnapshot } from '../core/snapshot/release-snapshot.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('ReleaseSnapshot', (deps, input) =>
  duringRun(deps, 'ReleaseSnapshot', input.runId, () => releaseSnapshot(deps, input)),
);
export const handler = onLambda('ReleaseSnapshot', makeHandler);
