/** A backup by the handlers of the bundle, in one process: an entry point beside them, for a test. */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { handlers } from '../../lambdas/handlers.ts';
import { openLocalDeps } from '../../local/engine/local-deps.ts';
import { execute, loadStateMachine } from '../../local/engine/state-machine.ts';

/** As JSON on stdin. */
export interface BundledRun {
  readonly vaultDirectory: string;
  readonly keyFile: string;
  readonly connection: Omit<ConnectionSettings, 'password'>;
  readonly password: string;
  readonly definition: string;
  readonly input: unknown;
}

const run = JSON.parse(readFileSync(0, 'utf8')) as BundledRun;
const { deps } = await openLocalDeps({
  ...run,
  connection: { ...run.connection, password: async () => run.password },
});
const output = await execute(await loadStateMachine(pathToFileURL(run.definition)), {
  name: 'bundled-run',
  input: run.input,
  call: (state, input) => handlers[state](deps)(input),
});
process.stdout.write(JSON.stringify(output));
