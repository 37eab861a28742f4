/** What the tests of CleanUp share: a run that is killed in a state, and the event that tells of an execution's end. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import type { FunctionInput } from '../../core/contract/functions.ts';
import type { MachineName } from '../../core/contract/names.ts';
import type { KilledRun } from './killed-run.ts';

/** Kills the run, and its workers with it, some milliseconds after it has begun with the state. */
export async function killedIn(run: KilledRun, state: string, milliseconds = 20): Promise<void> {
  const child = fork(join(import.meta.dirname, 'killed-run.ts'), {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let ended: unknown;
  const reached = new Promise<void>((resolve) => {
    child.on('message', (message) => {
      if (typeof message !== 'string') ended = message;
      if (message === state || typeof message !== 'string') resolve();
    });
  });
  const { connection } = run.options;
  const password = await connection.password();
  child.send({ ...run, options: { ...run.options, connection: { ...connection, password } } });
  await reached;
  await sleep(milliseconds);
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  // One that was over before it could be killed would prove nothing.
  expect(ended).toBeUndefined();
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
