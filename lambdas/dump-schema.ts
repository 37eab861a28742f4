/** State DumpSchema: the schema as text, unmoved while it was read. */
import { duringRun } from '../core/run/during-run.ts';
import { dumpSchemaState } from '../core/schema/dump-schema.ts';
import { handleState } from './handle-state.ts';
import { onLambda } from './on-lambda.ts';

export const makeHandler = handleState('DumpSchema', (deps, input) =>
  duringRun(deps, 'DumpSchema', input.runId, () => dumpSchemaState(deps, input)),
);
export const handler = onLambda('DumpSchema', makeHandler);
