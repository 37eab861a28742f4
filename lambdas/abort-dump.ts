/** State AbortDump: a branch failed: writes the run's abort mark and ends the holders. */
import { abortDump } from '../core/snapshot/abort-dump.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('AbortDump', abortDump);
export const handler = onLambda('AbortDump', makeHandler);
