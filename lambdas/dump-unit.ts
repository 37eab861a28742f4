/** State DumpUnit: rows of one unit into one object of the vault; the receipt makes it count. */
import { dumpUnit } from '../core/dump/dump-unit.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('DumpUnit', dumpUnit);
export const handler = onLambda('DumpUnit', makeHandler);
