/** The database that the documents speak of, on a server of a test: made, looked at, closed, damaged. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { EmbeddedServer } from '../../local/embedded-server.ts';

/** @returns the rows of the last statement */
export async function on(
  server: EmbeddedServer,
  database: string,
  sql: string,
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: server.url(database) });
  await client.connect();
  try {
    const result = await client.query(sql);
    return (Array.isArray(result) ? result.at(-1) : result).rows;
  } finally {
    await client.end();
  }
}

/** Made anew. Customers above 400 have no orders: only those can be deleted alone. */
export async function fillShop(server: EmbeddedServer): Promise<void> {
  await on(server, 'postgres', 'DROP DATABASE IF EXISTS shop WITH (FORCE)');
  await on(server, 'postgres', 'CREATE DATABASE shop');
  await on(
    server,
    'shop',
    `CREATE TABLE customer (id int PRIMARY KEY, name text NOT NULL);
     CREATE TABLE orders (
       id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
       customer int NOT NULL REFERENCES customer,
       note text
     );
     INSERT INTO customer SELECT i, 'customer ' || i FROM generate_series(1, 500) i;
     INSERT INTO orders (customer, note) SELECT 1 + i % 400, md5(i::text) FROM generate_series(1, 5000) i;
     CREATE INDEX ON orders (customer);`,
  );
}

export async function contentOf(server: EmbeddedServer, database: string) {
  const hash = async (table: string) => {
    const sql = `SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM ${table} t`;
    return (await on(server, database, sql))[0];
  };
  const [next] = await on(server, database, `SELECT last_value FROM orders_id_seq`);
  return { customer: await hash('customer'), orders: await hash('orders'), next };
}

export const databases = async (server: EmbeddedServer): Promise<unknown[]> =>
  (
    await on(
      server,
      'postgres',
      'SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1',
    )
  ).map(({ datname }) => datname);

/** A new scenario begins with a server on which nothing of another is left. */
export async function dropOthers(server: EmbeddedServer): Promise<void> {
  for (const name of await databases(server)) {
    if (name !== 'postgres') await on(server, 'postgres', `DROP DATABASE "${name}" WITH (FORCE)`);
  }
}

export const closeFor = (server: EmbeddedServer, database: string) =>
  on(server, 'postgres', `ALTER DATABASE ${database} WITH ALLOW_CONNECTIONS false`);

/** As a dying disk does it: a page of the table is not what was written, and its checksum shows it. */
export async function breakTable(
  server: EmbeddedServer,
  database: string,
  table: string,
): Promise<void> {
  await on(server, database, 'CREATE EXTENSION IF NOT EXISTS pg_buffercache; CHECKPOINT');
  const [row] = await on(server, database, `SELECT pg_relation_filepath('${table}') AS path`);
  const file = openSync(join(server.dataDirectory, String(row?.['path'])), 'r+');
  writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, 8192 + 2048);
  closeSync(file);
  // What is in memory is whole still: the server has to read it again.
  await on(server, database, `SELECT pg_buffercache_evict_relation('${table}')`);
}
