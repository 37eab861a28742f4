/** State Build: one index, constraint, refresh … that goes on without us. */
import { runBuild } from '../core/restore/build.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('Build', runBuild);
export const handler = onLambda('Build', makeHandler);
