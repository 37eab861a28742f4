/** State FinishRows: large objects, sequences. */
import { finishRows } from '../core/restore/finish-rows.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('FinishRows', finishRows);
export const handler = onLambda('FinishRows', makeHandler);
