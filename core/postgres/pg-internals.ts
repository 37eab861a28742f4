/**
 * The few members of node-postgres that are used here and that its types leave out (pg 8.23).
 *
 * Invariant: nobody else reaches into node-postgres; an upgrade is checked against this file and its tests.
 */
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type pg from 'pg';

export interface PgInternals {
  /** From BackendKeyData; a pooler makes up its own. */
  readonly processID: number | null;
  /** True between ReadyForQuery and the next statement. */
  readonly readyForQuery: boolean | undefined;
  readonly connectionParameters: { options: string | undefined; replication: string | undefined };
  readonly connection: EventEmitter & { readonly stream: Socket | TLSSocket };
}

export function internalsOf(client: pg.Client): PgInternals {
  return client as unknown as PgInternals;
}
