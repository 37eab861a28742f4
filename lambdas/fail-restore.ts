/** State FailRestore: the target as it was; the report of the failure. */
import { failRestore } from '../core/restore/fail.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('FailRestore', failRestore);
export const handler = onLambda('FailRestore', makeHandler);
