/** State LoadUnit: rows of some segments, each once. */
import { loadUnit } from '../core/restore/load-unit.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('LoadUnit', loadUnit);
export const handler = onLambda('LoadUnit', makeHandler);
