/** State RecordReplica: records whether the backup is whole at the replica. */
import { recordReplica } from '../core/backup/record-replica.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('RecordReplica', recordReplica);
export const handler = onLambda('RecordReplica', makeHandler);
