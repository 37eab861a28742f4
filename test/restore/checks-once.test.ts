/** Checks and hooks act in the world: what has run is not run again, and none runs for longer than its task. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import { markRestoreAborted } from '../../core/restore/abort-mark.ts';
import { readCheckResults, runChecks } from '../../core/restore/run-checks.ts';
import { failureOf } from '../../core/run/failure.ts';
import { type Harness, makeHarness } from '../backup/harness.ts';
import { planRestoreHere } from './create-harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await makeHarness('checks_once');
  await harness.database.query('CREATE TABLE t ()');
});
afterAll(() => harness?.[Symbol.asyncDispose]());

type RunCommand = NonNullable<Deps['runCommand']>;
const good = { exitCode: 0, output: '' };
const lost = new HoldfastError('WorkerLostError', 'Killed.');

/** A restore that has come to its checks; `command` is the shell. */
async function atChecks(input: Record<string, unknown>, command: RunCommand) {
  const commands: string[] = [];
  const limits: number[] = [];
  const begun = Date.now();
  let later = 0;
  const { run, deps: planned } = await planRestoreHere(harness, input);
  const deps: Deps = {
    ...planned,
    now: () => new Date(begun + later),
    runCommand: (text, environment, options) => {
      commands.push(text);
      limits.push(options?.timeoutMs ?? Number.NaN);
      return command(text, environment, options);
    },
  };
  const attempt = () => runChecks(deps, { runId: run.runId });
  const pass = (seconds: number) => {
    later += seconds * 1000;
  };
  return { run, deps, commands, limits, attempt, pass };
}

const checks = ['one', 'two', 'three'].map((name) => ({ name, command: name }));

describe('a second attempt', () => {
  it('runs no check again that has a result', async () => {
    let deaths = 1;
    const { attempt, commands, deps, run } = await atChecks({ checks }, async (command) => {
      if (command === 'two' && deaths-- > 0) throw lost;
      return good;
    });
    await expect(attempt()).rejects.toThrow(lost);
    expect(await attempt()).toEqual({ passed: 3, failed: 0 });
    expect(commands).toEqual(['one', 'two', 'two', 'three']);
    expect(await readCheckResults(deps.workspace, run.runId)).toHaveLength(3);
  });

  it('does not run the hook before the cutover again that was begun, and says that it may have run', async () => {
    const hooks = { beforeCutover: 'stop the workers' };
    const { attempt, commands, deps, run } = await atChecks({ hooks }, async () => {
      throw lost;
    });
    await expect(attempt()).rejects.toThrow(lost);
    const unsure = { name: 'HookFailedError', message: expect.stringMatching(/may have run/) };
    await expect(attempt()).rejects.toMatchObject(unsure);
    await expect(attempt()).rejects.toMatchObject(unsure);
    expect(commands).toEqual(['stop the workers']);
    expect(await readCheckResults(deps.workspace, run.runId)).toMatchObject([
      { name: 'hook before the cutover', isPassed: false, got: expect.stringMatching(/not known/) },
    ]);
  });

  it('takes the result of a hook that was recorded', async () => {
    const hooks = { beforeCutover: 'stop the workers' };
    const { attempt, commands, deps } = await atChecks({ hooks }, async () => good);
    const put = deps.workspace.put.bind(deps.workspace);
    const dying = vi.spyOn(deps.workspace, 'put').mockImplementation(async (key, ...rest) => {
      if (key.endsWith('/facts/checks.json')) throw lost;
      return put(key, ...rest);
    });
    await expect(attempt()).rejects.toThrow(lost);
    dying.mockRestore();
    expect(await attempt()).toEqual({ passed: 1, failed: 0 });
    expect(commands).toEqual(['stop the workers']);
  });
});

describe('a task', () => {
  it('gives each command what is left of its time, and leaves to the next task what it has no time for', async () => {
    const { attempt, commands, limits, pass } = await atChecks(
      { checks, options: { taskSeconds: 100 } },
      async () => {
        pass(30);
        return good;
      },
    );
    await expect(attempt()).rejects.toMatchObject({ name: 'TaskTimedOutError', retryable: true });
    expect(await attempt()).toEqual({ passed: 3, failed: 0 });
    expect(commands).toEqual(['one', 'two', 'three']);
    expect(limits).toEqual([100_000, 70_000, 100_000]);
  });

  it('ends its command when the run is aborted, and records no result of it', async () => {
    const input = { checks, options: { leaseSeconds: 1 } };
    const { attempt, commands, deps, run } = await atChecks(input, async (_, __, options) => {
      const error = new HoldfastError('RunAbortedError', 'Interrupted.');
      await markRestoreAborted(deps, run.runId, failureOf(error));
      await new Promise((resolve) => options?.signal?.addEventListener('abort', resolve));
      return { exitCode: 143, output: '' };
    });
    await expect(attempt()).rejects.toMatchObject({ name: 'RunAbortedError' });
    expect(commands).toEqual(['one']);
    expect(await readCheckResults(deps.workspace, run.runId)).toBeUndefined();
  });
});
