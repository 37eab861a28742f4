/** State FailRestore: the target as it was; the report of the failure. */
import { failRestore } from '../core/restore/fail.ts';
import { handleState } from './handle-state.ts';

export const makeHandler = handleState('FailRestore', failRestore);
