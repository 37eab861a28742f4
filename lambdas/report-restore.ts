/** State ReportRestore: the report as JSON and HTML. */
import { reportRestore } from '../core/restore/report.ts';
import { handleState } from './handle-state.ts';

export const makeHandler = handleState('ReportRestore', reportRestore);
