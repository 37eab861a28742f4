/**
 * One session of the server: connected as `sslMode` says, pinned, with errors from the catalogue.
 *
 * Invariants: a session that is handed out is pinned; a socket that dies is an error of the next call and never an
 * unhandled event; nothing is ever pinned behind a transaction pooler (it would reach other clients).
 */
import type pg from 'pg';
import { HoldfastError } from '../contract/errors.ts';
import { connectClient, describeTarget } from './connect.ts';
import { mapPgError } from './connect-errors.ts';
import type { ConnectionSettings } from './connection.ts';
import { internalsOf } from './pg-internals.ts';
import { pin } from './pin.ts';
import { isLent } from './raw-socket.ts';
import type { SessionPurpose } from './session-pins.ts';

export type { SessionPurpose } from './session-pins.ts';

export interface SessionOptions {
  /** At most 63 bytes, or the server cuts it off. */
  readonly applicationName: string;
  readonly purpose: SessionPurpose;
}

export interface Session {
  readonly client: pg.Client;
  readonly settings: ConnectionSettings;
  readonly backendPid: number;
  /** As `server_version_num`: 180004 for 18.4. */
  readonly serverVersionNum: number;
  /** ParameterStatus: as the server told them at start-up and after each change since. */
  readonly parameters: ReadonlyMap<string, string>;
  /**
   * Rows of one statement (of the last one, when the text holds several). int8 and numeric come as strings.
   * @throws HoldfastError by SQLSTATE; InternalError with `evidence.sqlstate` for what the catalogue does not know
   */
  query<T extends object = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<T[]>;
  /** The polite end; drops the socket when it is lent, a statement runs, or no answer comes within 5 s. Never throws. */
  close(): Promise<void>;
  /** Drops the socket at once. */
  destroy(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

const closeTimeoutMs = 5_000;

class PgSession implements Session {
  readonly client: pg.Client;
  readonly settings: ConnectionSettings;
  readonly backendPid: number;
  readonly serverVersionNum: number;
  readonly parameters: ReadonlyMap<string, string>;
  readonly #target: string;
  /** What broke the socket; the later errors of node-postgres only say that it is broken. */
  #lost: Error | undefined;

  constructor(
    client: pg.Client,
    settings: ConnectionSettings,
    facts: { pid: number; version: number; parameters: ReadonlyMap<string, string> },
  ) {
    this.client = client;
    this.settings = settings;
    this.backendPid = facts.pid;
    this.serverVersionNum = facts.version;
    this.parameters = facts.parameters;
    this.#target = describeTarget(settings);
    client.on('error', (error) => {
      this.#lost ??= error;
    });
  }

  async query<T extends object>(sql: string, values?: unknown[]): Promise<T[]> {
    if (isLent(this)) {
      throw new HoldfastError(
        'InternalError',
        'A statement was sent while the socket of its session was lent.',
      );
    }
    try {
      const result: pg.QueryResult | pg.QueryResult[] = await this.client.query(sql, values);
      const last = Array.isArray(result) ? result.at(-1) : result;
      return (last?.rows ?? []) as T[];
    } catch (error) {
      const isConsequence = /not queryable/.test(String(error)) && this.#lost !== undefined;
      throw mapPgError(isConsequence ? this.#lost : error, this.#target, 'connected');
    }
  }

  async close(): Promise<void> {
    // The borrower may be in the middle of a message, where a polite end would wait for ever.
    if (isLent(this)) this.destroy();
    const timer = setTimeout(() => this.destroy(), closeTimeoutMs);
    try {
      await this.client.end();
    } catch {
      this.destroy();
    } finally {
      clearTimeout(timer);
    }
  }

  destroy(): void {
    internalsOf(this.client).connection.stream.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Connects, asks in one round trip for process and version, and pins.
 *
 * @throws SourceUnreachableError, AuthenticationFailedError, DatabaseNotFoundError, TooManyConnectionsError, TlsError,
 * PoolerDetectedError when the answering process is not the one that was connected to and changes between transactions
 */
export async function openSession(
  settings: ConnectionSettings,
  options: SessionOptions,
): Promise<Session> {
  const { client, parameters } = await connectClient(settings, options.applicationName);
  try {
    const facts = await pin(client, settings, options.purpose, parameters);
    return new PgSession(client, settings, { ...facts, parameters });
  } catch (error) {
    internalsOf(client).connection.stream.destroy();
    throw mapPgError(error, describeTarget(settings), 'connecting');
  }
}
