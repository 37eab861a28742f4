/** State FinishRows: large objects, sequences. */
import { finishRows } from '../core/restore/finish-rows.ts';
import { handleState } from './handle-state.ts';

export const makeHandler = handleState('FinishRows', finishRows);
