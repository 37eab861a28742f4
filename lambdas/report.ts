/** State Report: the summary of the run. */
import { reportRun } from '../core/backup/report.ts';
import { handleState } from './handle-state.ts';

export const makeHandler = handleState('Report', reportRun);
