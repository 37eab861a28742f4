/**
 * Dumps one section of a database's schema: pg_dump in a thread, its libpq on the socket that node-postgres opened.
 *
 * Invariant: the thread has ended when this returns or throws, and a session that failed midway is dropped, never
 * handed back. The session's settings are pg_dump's afterwards: close it.
 */
import { randomBytes } from 'node:crypto';
import { MessageChannel, Worker } from 'node:worker_threads';
import { HoldfastError } from '../contract/errors.ts';
import { scopeOf } from '../contract/filters.ts';
import { takeSocket } from '../postgres/raw-socket.ts';
import type { Session } from '../postgres/session.ts';
import { greeting } from './backend-frames.ts';
import { schemaDumpError } from './dump-errors.ts';
import { answerExchanges } from './exchange-loop.ts';
import { type PgDumpRequest, pgDumpArgs } from './pg-dump-args.ts';
import type { PgDumpJob, PgDumpResult } from './pg-dump-channel.ts';
import { holdPgDumpCode } from './pg-dump-code.ts';
import { type PlainSql, plainSql, publicSchemaSql } from './plain-sql.ts';

export type DumpSectionRequest = Omit<PgDumpRequest, 'restrictKey'>;

/** First version that the pg_dump inside does not know. */
const unsupportedFrom = 190_000;

/**
 * @param session idle and outside a transaction
 * @returns SQL text without psql commands
 * @throws SchemaDumpError quoting pg_dump; PatternMatchesNothingError, PermissionDeniedError, LockNotAvailableError,
 * LockTableTooSmallError, SnapshotLostError, ConnectionLostError, EncodingError, UnsupportedServerVersionError
 */
export async function dumpSection(
  session: Session,
  request: DumpSectionRequest,
): Promise<PlainSql> {
  if (session.serverVersionNum >= unsupportedFrom) {
    throw new HoldfastError(
      'UnsupportedServerVersionError',
      `The server is version ${Math.floor(session.serverVersionNum / 10_000)}; schemas can be read up to 18.`,
      { evidence: { serverVersionNum: session.serverVersionNum, newest: 18 } },
    );
  }
  const restrictKey = randomBytes(16).toString('hex');
  const text = await runPgDump(session, pgDumpArgs({ ...request, restrictKey }));
  const plain = plainSql(text, restrictKey, session.serverVersionNum);
  return { ...plain, sql: preamble(session, request) + plain.sql };
}

/** A partial dump may go into a database that exists: its schema `public` is not ours to change. */
function preamble(session: Session, { section, filters }: DumpSectionRequest): string {
  const isWhole = scopeOf({ ...filters, sections: 'all' }) === 'full';
  return section === 'pre-data' && isWhole ? publicSchemaSql(session.serverVersionNum) : '';
}

async function runPgDump(session: Session, args: readonly string[]): Promise<string> {
  await holdPgDumpCode();
  const raw = takeSocket(session);
  const { port1, port2 } = new MessageChannel();
  const turns = new SharedArrayBuffer(4);
  const parameters = new Map([
    ...session.parameters,
    ['client_encoding', 'UTF8'],
    ['standard_conforming_strings', 'on'],
  ]);
  const job: PgDumpJob = {
    args,
    turns,
    port: port2,
    greeting: greeting(parameters, session.backendPid),
  };
  const exchanges = answerExchanges(raw, port1, new Int32Array(turns), {
    mustBeUtf8: session.parameters.get('server_encoding') === 'SQL_ASCII',
  });
  const worker = new Worker(threadUrl(), { workerData: job, transferList: [port2], env: {} });
  try {
    const result = await Promise.race([resultOf(worker), exchanges.failed]);
    if (result.kind === 'failed') throw exchanges.lost() ?? schemaDumpError(result.message);
    raw.release();
    return result.text;
  } catch (error) {
    session.destroy();
    throw error;
  } finally {
    port1.close();
    await worker.terminate();
  }
}

/** Beside this module, in the source tree as in dist/. */
function threadUrl(): URL {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return new URL(`./pg-dump-thread${extension}`, import.meta.url);
}

function resultOf(worker: Worker): Promise<PgDumpResult> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', (cause) =>
      reject(new HoldfastError('SchemaDumpError', `pg_dump broke off: ${cause}`, { cause })),
    );
    worker.once('exit', (code) =>
      reject(new HoldfastError('SchemaDumpError', `pg_dump ended with code ${code} and no text.`)),
    );
  });
}
