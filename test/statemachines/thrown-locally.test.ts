/** Names of Retry and Catch that only a server, or what lies between it and us, can bring about: thrown for real here. */
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StateName } from '../../core/contract/payloads.ts';
import { handlers } from '../../lambdas/handlers.ts';
import { fillShop, type Harness, makeHarness } from '../backup/harness.ts';

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
});

test('CopyIncompleteError: the server counts one row more than came', async () => {
  await using proxy = await miscountingProxy(harness.database.settings);
  const thrown = await runThrough('DumpUnit', proxy.port);
  expect(thrown).toContain('DumpUnit CopyIncompleteError');
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
