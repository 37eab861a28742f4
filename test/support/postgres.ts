/** Real PostgreSQL for tests: one server shared by the run (see global-setup.ts), or one of its own with special settings. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  startEmbeddedServer,
} from '../../local/embedded-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgres: { port: number; password: string };
  }
}

export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
  readonly settings: ConnectionSettings;
  readonly client: pg.Client;
  query<T extends pg.QueryResultRow = Record<string, never>>(
    sql: string,
    values?: unknown[],
  ): Promise<T[]>;
  drop(): Promise<void>;
}

export function sharedSettings(database: string, user = 'postgres'): ConnectionSettings {
  const { port, password } = inject('postgres');
  return {
    host: '127.0.0.1',
    port,
    database,
    user,
    password: async () => password,
    sslMode: 'disable',
    tls: {},
    connectTimeoutMs: 60_000,
  };
}

/** A fresh database on the shared server; `name` is a prefix, made unique. */
export async function testDatabase(name = 'test'): Promise<TestDatabase> {
  return databaseOn(inject('postgres'), `${name}_${randomBytes(4).toString('hex')}`);
}

/** A fresh database on any server. */
export async function databaseOn(
  server: { port: number; password: string },
  name: string,
): Promise<TestDatabase> {
  const url = (database: string) =>
    `postgresql://postgres:${server.password}@127.0.0.1:${server.port}/${encodeURIComponent(database)}`;
  const admin = async (sql: string) => {
    const client = new pg.Client({ connectionString: url('postgres') });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  const quoted = pg.escapeIdentifier(name);
  await admin(`CREATE DATABASE ${quoted} TEMPLATE template0`);
  const client = new pg.Client({ connectionString: url(name) });
  client.on('error', () => undefined);
  await client.connect();
  const drop = async () => {
    await client.end().catch(() => undefined);
    await admin(`DROP DATABASE IF EXISTS ${quoted} WITH (FORCE)`);
  };
  return {
    name,
    url: url(name),
    settings: {
      host: '127.0.0.1',
      port: server.port,
      database: name,
      user: 'postgres',
      password: async () => server.password,
      sslMode: 'disable',
      tls: {},
      connectTimeoutMs: 60_000,
    },
    client,
    async query(sql, values) {
      return (await client.query(sql, values)).rows;
    },
    drop,
    [Symbol.asyncDispose]: drop,
  };
}

/** A server of its own. Majors below 18 need `npm run matrix:install` (folder `.matrix/`). */
export async function startServer(
  options: EmbeddedServerOptions & { major?: number } = {},
): Promise<EmbeddedServer> {
  const { major = 18, ...rest } = options;
  if (major === 18) return startEmbeddedServer(rest);
  const binaries = join(import.meta.dirname, '../../.matrix/node_modules', `pg${major}`, 'native');
  if (!existsSync(binaries)) {
    throw new Error(`PostgreSQL ${major} is not installed: run \`npm run matrix:install\`.`);
  }
  return startEmbeddedServer({ ...rest, binaries });
}
