/** State PlanDrill: the restore that a drill is. */
import { planDrill } from '../core/drill/plan-drill.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('PlanDrill', planDrill);
export const handler = onLambda('PlanDrill', makeHandler);
