/** Function Sentinel: how old the newest backup of each source is, as metrics; called by a schedule. */
import { watchSources } from '../core/sentinel/sentinel.ts';
import { handleFunction } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleFunction('Sentinel', watchSources);
export const handler = onLambda('Sentinel', makeHandler);
