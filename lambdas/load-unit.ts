/** State LoadUnit: rows of some segments, each once. */
import { loadUnit } from '../core/restore/load-unit.ts';
import { handleState } from './handle-state.ts';

export const makeHandler = handleState('LoadUnit', loadUnit);
