/** State ReportRestore: the report as JSON and HTML. */
import { reportRestore } from '../core/restore/report.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('ReportRestore', reportRestore);
export const handler = onLambda('ReportRestore', makeHandler);
