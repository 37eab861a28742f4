/** State Fail: ends holders, gives the lease free, records the outcome. */
import { failRun } from '../core/backup/fail.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('Fail', failRun);
export const handler = onLambda('Fail', makeHandler);
