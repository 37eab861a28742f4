/** State PlanUnits: reads the catalogs in the snapshot and cuts the tables into units. */

import { planUnits } from '../core/plan/plan-units.ts';
import { duringRun } from '../core/run/during-run.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('PlanUnits', (deps, input) =>
  duringRun(deps, 'PlanUnits', input.runId, () => planUnits(deps, input)),
);
export const handler = onLambda('PlanUnits', makeHandler);
