/**
 * Pins a client that was just connected.
 *
 * Invariant: nothing is ever pinned behind a transaction pooler, where it would reach other clients.
 */
import type pg from 'pg';
import { HoldfastError } from '../contract/errors.ts';
import { sqlstateOf } from './connect-errors.ts';
import type { ConnectionSettings } from './connection.ts';
import { internalsOf } from './pg-internals.ts';
import { refuseTransactionPooler } from './pooler.ts';
import { clientCheck, pinStatement, type SessionPurpose } from './session-pins.ts';

interface PinnedRow {
  pid: number;
  version: number;
  pinned: boolean;
}

/** @throws PoolerDetectedError; what the server answers */
export async function pin(
  client: pg.Client,
  settings: ConnectionSettings,
  purpose: SessionPurpose,
  parameters: ReadonlyMap<string, string>,
): Promise<{ pid: number; version: number }> {
  const major = Number.parseInt(parameters.get('server_version') ?? '0', 10);
  const ask = async (expectedPid: number | undefined, without?: string): Promise<PinnedRow> => {
    const sql = pinStatement(purpose, major, expectedPid, without);
    const { rows } = await client.query<PinnedRow>(sql);
    const [row] = rows;
    if (row === undefined) throw new HoldfastError('InternalError', 'The server pinned nothing.');
    return row;
  };
  const pinWhen = (expectedPid: number | undefined) =>
    ask(expectedPid).catch((error: unknown) => {
      if (!isWithoutClientCheck(error)) throw error;
      return ask(expectedPid, clientCheck);
    });
  const first = await pinWhen(internalsOf(client).processID ?? undefined);
  if (first.pinned) return first;
  // Something stands between that makes its own process numbers: safe only when it gives us one server process.
  await refuseTransactionPooler(client, settings);
  return pinWhen(undefined);
}

/** A server on Windows (14 on macOS as well) cannot look for its client: the setting is 0, and any other refused. */
const isWithoutClientCheck = (error: unknown): boolean =>
  sqlstateOf(error) === '22023' && String(error).includes(clientCheck);
