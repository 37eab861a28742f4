/** State NoteSafetyBackup: what the child execution gave. */
import { noteSafetyBackup } from '../core/restore/note-safety-backup.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('NoteSafetyBackup', noteSafetyBackup);
export const handler = onLambda('NoteSafetyBackup', makeHandler);
