/** State Publish: keeps a verified backup and enters it into the catalogue. */
import { publishBackup } from '../core/backup/publish.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('Publish', publishBackup);
export const handler = onLambda('Publish', makeHandler);
