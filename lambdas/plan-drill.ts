/** State PlanDrill: the restore that a drill is. */
import { planDrill } from '../core/drill/plan-drill.ts';
import { handleState } from './handle-state.ts';

export const makeHandler = handleState('PlanDrill', planDrill);
