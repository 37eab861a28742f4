/** State Publish: keeps a verified backup and enters it into the catalogue. */

import { publishBackup } from '../core/backup/publish.ts';
import { duringRun } from '../core/run/during-run.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('Publish', (deps, input) =>
  duringRun(deps, 'Publish', input.runId, () => publishBackup(deps, input)),
);
export const handler = onLambda('Publish', makeHandler);
