/** What the tests of this folder share: clients of the deployment, executions, and the source's rows. */
import { rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  GetExecutionHistoryCommand,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import pg from 'pg';
import { inject } from 'vitest';
import { type MachineName, namesOf, type Place } from '../../../core/contract/names.ts';
import { clientSettings, primaryRegion, replicaRegion } from '../emulator-clients.ts';
import { clientsOf } from './clients.ts';
import { environmentName } from './environment.ts';

export const names = namesOf(environmentName);

export const base = () => {
  const { accountId: account, env } = inject('cloud');
  return { account, env, settings: clientSettings };
};

export const clientsIn = (region: string) => clientsOf(base(), region);
export const primary = (): Place => ({ account: base().account, region: primaryRegion });
export const replica = (): Place => ({ account: base().account, region: replicaRegion });

export interface Ended {
  readonly status: string;
  readonly error: string | undefined;
  readonly cause: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads of it, it checks.
  readonly output: any;
}

/** As `aws stepfunctions start-execution` does it. @returns the ARN of the execution */
export async function start(
  machine: MachineName,
  input: unknown,
  { at = primary(), name }: { at?: Place; name?: string } = {},
): Promise<string> {
  const { sfn } = clientsIn(at.region);
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({
      stateMachineArn: names.machineArn(machine, at),
      input: JSON.stringify(input),
      ...(name !== undefined && { name }),
    }),
  );
  return String(executionArn);
}

/** Waits until it has ended. @throws Error with the end of its history when that takes too long */
export async function ended(executionArn: string, seconds = 300): Promise<Ended> {
  const { sfn } = clientsIn(regionOf(executionArn));
  const until = Date.now() + seconds * 1000;
  while (Date.now() < until) {
    const it = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (it.status !== 'RUNNING') return endOf(it);
    await sleep(200);
  }
  throw new Error(`${executionArn} runs still after ${seconds} s:\n${await history(executionArn)}`);
}

const endOf = ({ status, error, cause, output }: DescribeExecutionOutput): Ended => ({
  status: String(status),
  error,
  cause,
  output: output === undefined ? undefined : JSON.parse(output),
});

/** The execution's last events, for the message of a failing test. */
export async function history(executionArn: string): Promise<string> {
  const { sfn } = clientsIn(regionOf(executionArn));
  const { events = [] } = await sfn.send(
    new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 12 }),
  );
  return events.map((event) => JSON.stringify(event).slice(0, 600)).join('\n');
}

/** @throws Error with error, cause and history unless it succeeded */
export async function succeeded(executionArn: string, seconds?: number): Promise<Ended['output']> {
  const end = await ended(executionArn, seconds);
  if (end.status === 'SUCCEEDED') return end.output;
  const { status, error, cause } = end;
  throw new Error(`${status}: ${error}: ${cause}\n${await history(executionArn)}`);
}

const regionOf = (arn: string): string => String(arn.split(':')[3]);

/** A session of a person at one of the servers. */
export async function connectTo(
  which: 'primary' | 'replica',
  database = 'postgres',
): Promise<pg.Client> {
  const { port, user, password } = inject('servers')[which];
  const client = new pg.Client({
    ...{ host: '127.0.0.1', port, user, password, database },
    ssl: { rejectUnauthorized: false },
  });
  // Of an end that comes from elsewhere (WITH (FORCE), a swap) the next query tells; by itself it is no failure.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** What is in a shop: counts and hashes of its tables, of its view and of its large objects. */
export async function contentOf(which: 'primary' | 'replica', database: string) {
  const client = await connectTo(which, database);
  const read = async (sql: string): Promise<unknown> => (await client.query(sql)).rows[0];
  const hash = (table: string) =>
    read(`SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM ${table} t`);
  try {
    return {
      customer: await hash('customer'),
      orders: await hash('orders'),
      busy: await hash('busy').catch(() => null),
      largeObjects: await read('SELECT count(*), sum(length(data)) FROM pg_largeobject'),
    };
  } finally {
    await client.end();
  }
}

/**
 * Options of a backup that ends soon after its rows are dumped. Its holders are ended then; how long they stay when nobody
 * works is not made shorter: on a busy machine the functions that come first take long to start.
 */
export const quick = { watchSeconds: 1 };

/** From now on nobody reaches the Region's endpoints; whoever started the emulator himself has no such switch. */
export const closeRegion = (region: string): Promise<void> =>
  writeFile(closedRegionsFile(), `${region}\n`);
export async function openRegions(): Promise<void> {
  const { closedRegionsFile: file } = inject('cloud');
  // Elsewhere none was closed.
  if (file !== undefined) await rm(file, { force: true });
}

function closedRegionsFile(): string {
  const { closedRegionsFile: file } = inject('cloud');
  if (file === undefined)
    throw new Error('Only the emulator that we start ourselves can close a Region.');
  return file;
}

/** Makes the database `shop` anew, with rows that are all different. */
export async function fillShop(rows = 20_000): Promise<void> {
  const admin = await connectTo('primary');
  await admin.query('DROP DATABASE IF EXISTS shop WITH (FORCE)');
  await admin.query('CREATE DATABASE shop');
  await admin.end();
  const shop = await connectTo('primary', 'shop');
  await shop.query(`
    CREATE TABLE customer (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE orders (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      customer int NOT NULL REFERENCES customer,
      placed timestamptz NOT NULL,
      note text
    );
    INSERT INTO customer SELECT i, 'customer ' || i FROM generate_series(1, 500) i;
    INSERT INTO orders (customer, placed, note)
      SELECT 1 + i % 500, timestamptz '2026-01-01' + i * interval '1 minute', md5(i::text)
      FROM generate_series(1, ${rows}) i;
    CREATE INDEX ON orders (placed);
    CREATE MATERIALIZED VIEW busy AS SELECT customer, count(*) FROM orders GROUP BY 1;
    SELECT lo_from_bytea(0, decode(repeat('c0ffee', 1000), 'hex'));
  `);
  await shop.end();
}
