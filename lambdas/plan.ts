/** State Plan: can it work? Claims the scheduled time, takes the lease, records the run. */
import { planRun } from '../core/backup/plan.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('Plan', planRun);
export const handler = onLambda('Plan', makeHandler);
