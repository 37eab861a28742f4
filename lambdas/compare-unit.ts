/** State CompareUnit: rows of some tables against the manifest. */
import { compareUnit } from '../core/compare/compare-unit.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('CompareUnit', compareUnit);
export const handler = onLambda('CompareUnit', makeHandler);
