/** State ConcludeDrill: evidence, the scratch database gone, the report. */
import { concludeDrill } from '../core/drill/conclude-drill.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('ConcludeDrill', concludeDrill);
export const handler = onLambda('ConcludeDrill', makeHandler);
