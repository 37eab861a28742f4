/** Function CleanUp: what an execution left that was stopped, timed out or failed; called by a rule on its end. */
import { cleanUp } from '../core/run/clean-up.ts';
import { handleFunction } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleFunction('CleanUp', cleanUp);
export const handler = onLambda('CleanUp', makeHandler);
