/** State VerifyUnit: reads one object back and leaves its verdict. */
import { verifyUnit } from '../core/backup/verify-unit.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('VerifyUnit', verifyUnit);
export const handler = onLambda('VerifyUnit', makeHandler);
