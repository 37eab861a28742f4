/** State RunChecks: the user's own checks, and the hook before the cutover. */
import { runChecks } from '../core/restore/run-checks.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('RunChecks', runChecks);
export const handler = onLambda('RunChecks', makeHandler);
