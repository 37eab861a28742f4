/** State Cutover: new, swap or into; the hook after it. */
import { cutover } from '../core/restore/cutover.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('Cutover', cutover);
export const handler = onLambda('Cutover', makeHandler);
