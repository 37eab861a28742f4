/** State CompareSchema: everything but rows. */
import { compareSchema } from '../core/compare/compare-schema.ts';
import { handleState } from './handle-state.ts';

export const makeHandler = handleState('CompareSchema', compareSchema);
