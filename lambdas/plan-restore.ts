/** State PlanRestore: chooses the backup, preflight, the load units; goes on with an unfinished run. */
import { planRestore } from '../core/restore/plan-restore.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('PlanRestore', planRestore);
export const handler = onLambda('PlanRestore', makeHandler);
