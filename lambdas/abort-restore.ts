/** State AbortRestore: writes the abort mark of a restore. */
import { abortRestore } from '../core/restore/abort-mark.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('AbortRestore', abortRestore);
export const handler = onLambda('AbortRestore', makeHandler);
