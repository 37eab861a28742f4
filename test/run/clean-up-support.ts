/** What the tests of CleanUp share: a run that is killed in a state, and the event that tells of an execution's end. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import type { FunctionInput } from '../../core/contract/functions.ts';
import type { MachineName } from '../../core/contract/names.ts';
import type { KilledRun } from './killed-run.ts';

/** A run that kills itself, and its workers with it, some milliseconds after it has begun with the state. */
export async function killedIn(run: KilledRun, state: string, milliseconds = 20): Promise<void> {
  const child = fork(join(import.meta.dirname, 'killed-run.ts'), {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    detached: true,
  });
  let ended: unknown;
  child.on('message', (message) => {
    ended = message;
    child.disconnect();
  });
  const { connection } = run.options;
  const password = await connection.password();
  const options = { ...run.options, connection: { ...connection, password } };
  child.send({ ...run, options, killedIn: { state, milliseconds } });
  const [, signal] = await once(child, 'exit');
  // One that was over before it was killed would prove nothing.
  expect({ ended, signal }).toEqual({ ended: undefined, signal: 'SIGKILL' });
}

export const ended = (
  machine: MachineName,
  name: string,
  status = 'ABORTED',
): FunctionInput<'CleanUp'> => ({
  'detail-type': 'Step Functions Execution Status Change',
  detail: {
    status,
    name,
    stateMachineArn: `arn:aws:states:eu-central-1:123456789012:stateMachine:holdfast-prod-${machine}`,
    error: null,
    cause: null,
  },
});

/** JSON of a key of the workspace. */
export async function read(
  { workspace }: Pick<Deps, 'workspace'>,
  key: string,
): Promise<Record<string, unknown> | undefined> {
  const entry = await workspace.get(key);
  return entry && (JSON.parse(Buffer.from(entry.body).toString()) as Record<string, unknown>);
}
