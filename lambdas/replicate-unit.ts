/** State ReplicateUnit: reads one object back from the replica and leaves its verdict. */
import { replicateUnit } from '../core/backup/replicate-unit.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('ReplicateUnit', replicateUnit);
export const handler = onLambda('ReplicateUnit', makeHandler);
