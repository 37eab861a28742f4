/** State PlanBuilds: what is built after the rows, in waves; what is compared. */
import { planBuilds } from '../core/restore/plan-builds.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('PlanBuilds', planBuilds);
export const handler = onLambda('PlanBuilds', makeHandler);
