/** Function Record: the only one that writes evidence; others call it and wait. */
import { recordFor } from '../core/evidence/record-for.ts';
import { handleFunction } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleFunction('Record', recordFor);
export const handler = onLambda('Record', makeHandler);
