/** State ConcludeDrill: evidence, the scratch database gone, the report. */
import { concludeDrill } from '../core/drill/conclude-drill.ts';
import { handleState } from './handle-state.ts';

export const makeHandler = handleState('ConcludeDrill', concludeDrill);
