/** State Report: the summary of the run. */
import { reportRun } from '../core/backup/report.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('Report', reportRun);
export const handler = onLambda('Report', makeHandler);
