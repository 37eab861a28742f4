/** State CreateTarget: the database, its roles, extensions and definitions without indexes. */
import { createTarget } from '../core/restore/create-target.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('CreateTarget', createTarget);
export const handler = onLambda('CreateTarget', makeHandler);
