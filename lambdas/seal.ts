/** State Seal: all receipts there and the lease still ours: writes the signed manifest. */

import { sealBackup } from '../core/backup/seal.ts';
import { duringRun } from '../core/run/during-run.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('Seal', (deps, input) =>
  duringRun(deps, 'Seal', input.runId, () => sealBackup(deps, input)),
);
export const handler = onLambda('Seal', makeHandler);
