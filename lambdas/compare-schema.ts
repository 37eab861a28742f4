/** State CompareSchema: everything but rows. */
import { compareSchema } from '../core/compare/compare-schema.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('CompareSchema', compareSchema);
export const handler = onLambda('CompareSchema', makeHandler);
