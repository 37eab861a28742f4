/** State Seal: all receipts there and the lease still ours: writes the signed manifest. */
import { duringRun } from '../core/run/during-run.ts';
import { sealBackup } from '../core/backup/seal.ts';
import { handleState } from './handle-state.ts';

export const makeHandler = handleState('Seal', (deps, input) =>
  duringRun(deps, 'Seal', input.runId, () => sealBackup(deps, input)),
);
