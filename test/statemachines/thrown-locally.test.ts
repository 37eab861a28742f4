/** Names of Retry and Catch that a server, what lies between it and us, or the engine brings about: thrown for real here. */
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StateName } from '../../core/contract/payloads.ts';
import { handlers } from '../../lambdas/handlers.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import { execute, loadStateMachine } from '../../local/engine/state-machine.ts';
import { expectNothingLeft, fillShop, type Harness, makeHarness } from '../backup/harness.ts';
import { collectThrown } from './thrown-names.ts';

const saw = collectThrown(import.meta.filename);
const errorsOf = (thrown: readonly string[]) => thrown.map((line) => String(line.split(' ')[1]));

let harness: Harness;
beforeEach(async () => {
  harness = await makeHarness('thrown');
  await fillShop(harness.database);
});
afterEach(() => harness[Symbol.asyncDispose]());

/** Runs a backup in which the first attempts of one state go through this port. @returns the errors of its states */
async function runThrough(through: StateName, port: number): Promise<string[]> {
  const { deps } = harness;
  const elsewhere = {
    ...deps,
    connectionOf: async (name: string) => ({ ...(await deps.connectionOf(name)), port }),
  };
  const thrown: string[] = [];
  const report = await harness.runHere(async (state, input, call) => {
    const isFirst = state === through && thrown.length === 0;
    try {
      return isFirst ? await handlers[state](elsewhere)(input) : await call();
    } catch (error) {
      thrown.push(`${state} ${(error as Error).name}`);
      throw error;
    }
  });
  expect(report).toMatchObject({ state: 'published', rows: 20_003 });
  return thrown;
}

test('SourceUnreachableError: nobody listens, and then somebody does', async () => {
  const thrown = await runThrough('HoldSnapshot', 1);
  expect(thrown).toEqual(['HoldSnapshot SourceUnreachableError']);
  saw(...errorsOf(thrown));
});

test('CopyIncompleteError: the server counts one row more than came', async () => {
  await using proxy = await miscountingProxy(harness.database.settings);
  const thrown = await runThrough('DumpUnit', proxy.port);
  expect(thrown).toContain('DumpUnit CopyIncompleteError');
  saw(...errorsOf(thrown));
});

test('SchemaMovedError: a migration comes between the snapshot and pg_dump', async () => {
  const states: StateName[] = [];
  const thrown: string[] = [];
  const report = await harness.runHere(async (state, _input, call) => {
    if (state === 'DumpSchema' && !states.includes(state)) {
      await harness.database.query('CREATE FUNCTION one() RETURNS int RETURN 1');
    }
    states.push(state);
    try {
      return await call();
    } catch (error) {
      thrown.push(`${state} ${(error as Error).name}`);
      throw error;
    }
  });
  expect(report).toMatchObject({ state: 'published' });
  expect(thrown).toEqual(['DumpSchema SchemaMovedError']);
  saw(...errorsOf(thrown));
});

test('States.Timeout: a state that takes longer than its TimeoutSeconds is tried four times, then caught', async () => {
  const { deps } = harness;
  const definition = await loadStateMachine(
    new URL('../../statemachines/backup.asl.json', import.meta.url),
  );
  const state = definition.States['DumpSchema'] as { TimeoutSeconds: number };
  expect(state.TimeoutSeconds).toBe(960);
  // The same definition with the shortest time there is: nobody waits for a quarter of an hour.
  state.TimeoutSeconds = 1;
  const runId = newRunId();
  const caught: { Error: string }[] = [];
  let tries = 0;
  const run = execute(definition, {
    name: runId,
    input: { source: 'shop', requestedBy: { user: 'tester', host: 'here' } },
    retryMilliseconds: { DumpSchema: 10 },
    call: async (called, input) => {
      if (called === 'DumpSchema') {
        tries += 1;
        return sleep(20_000, undefined, { ref: false });
      }
      if (called === 'Fail') caught.push((input as { error: { Error: string } }).error);
      return handlers[called](deps)(input);
    },
  });
  await expect(run).rejects.toThrow();
  expect(tries).toBe(4);
  expect(caught.map((one) => one.Error)).toEqual(['States.Timeout']);
  saw(...caught.map((one) => one.Error));
  await expectNothingLeft(harness, runId, 'TaskTimedOutError');
});

/** Passes everything on, but for the last digit of how many rows a COPY had. */
async function miscountingProxy({ host, port }: { host: string; port: number }) {
  const server = createServer((client) => {
    const upstream = connect(port, host);
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      const wrong = text.replace(
        /(C\0\0\0.COPY \d*)(\d)\0/gs,
        (_, before, digit) => `${before}${(Number(digit) + 1) % 10}\0`,
      );
      client.write(Buffer.from(wrong, 'latin1'));
    });
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}
