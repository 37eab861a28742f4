/**
 * The settings that every session pins, so that the text of a value is the same from every server and for every
 * role (a database or role may have its own defaults), and so that no timeout of the server ends a long backup.
 *
 * Invariant: a pin is one `set_config` in the first round trip; nothing is sent in the start-up packet, because
 * poolers refuse unknown start-up parameters.
 */

/**
 * `worker` and `holder` read only. `writer` writes into a restored database; `builder` does, too, and its statement goes
 * on when its client is gone.
 */
export type SessionPurpose = 'control' | 'worker' | 'holder' | 'writer' | 'builder';

interface Pin {
  readonly name: string;
  readonly value: string;
  /** First major version that knows the setting; all supported ones when absent. */
  readonly since?: number;
}

const textPins: readonly Pin[] = [
  { name: 'client_encoding', value: 'UTF8' },
  { name: 'search_path', value: '' },
  { name: 'TimeZone', value: 'UTC' },
  { name: 'DateStyle', value: 'ISO, YMD' },
  { name: 'IntervalStyle', value: 'postgres' },
  { name: 'extra_float_digits', value: '1' },
  { name: 'bytea_output', value: 'hex' },
  { name: 'lc_monetary', value: 'C' },
  { name: 'xmlbinary', value: 'base64' },
  { name: 'xmloption', value: 'content' },
  { name: 'standard_conforming_strings', value: 'on' },
  { name: 'quote_all_identifiers', value: 'off' },
  // A policy becomes an error and never a silent filter.
  { name: 'row_security', value: 'off' },
];

const timeoutPins: readonly Pin[] = [
  { name: 'statement_timeout', value: '0' },
  { name: 'lock_timeout', value: '0' },
  { name: 'idle_in_transaction_session_timeout', value: '0' },
  { name: 'idle_session_timeout', value: '0', since: 14 },
  { name: 'transaction_timeout', value: '0', since: 17 },
];

/** Not every server has it: see pin.ts. */
export const clientCheck = 'client_connection_check_interval';

/** The server notices within 10 s that we are gone while a statement runs, and within 30 s + 3 × 10 s when idle. */
const attachedPins: readonly Pin[] = [
  { name: clientCheck, value: '10s', since: 14 },
  // Ignored on Unix sockets.
  { name: 'tcp_keepalives_idle', value: '30' },
  { name: 'tcp_keepalives_interval', value: '10' },
  { name: 'tcp_keepalives_count', value: '3' },
  { name: 'tcp_user_timeout', value: '30000' },
];

/** A holder must go on when its client has vanished. */
const detachedPins: readonly Pin[] = [{ name: clientCheck, value: '0', since: 14 }];

const readerPins: readonly Pin[] = [
  { name: 'default_transaction_read_only', value: 'on' },
  // Units are ctid ranges: without TID scans each of them would read the whole table.
  { name: 'enable_tidscan', value: 'on' },
];

const writerPins: readonly Pin[] = [
  // The restored database may have it `on` as a setting of its own.
  { name: 'default_transaction_read_only', value: 'off' },
  { name: 'default_transaction_isolation', value: 'read committed' },
  { name: 'default_transaction_deferrable', value: 'off' },
  { name: 'check_function_bodies', value: 'off' },
  // With which pg_dump begins; it writes what differs from them.
  { name: 'default_tablespace', value: '' },
  { name: 'default_table_access_method', value: 'heap' },
  { name: 'synchronize_seqscans', value: 'off' },
];

const pinsByPurpose: Readonly<Record<SessionPurpose, readonly Pin[]>> = {
  control: attachedPins,
  worker: [...attachedPins, ...readerPins],
  holder: [...detachedPins, ...readerPins],
  writer: [...attachedPins, ...writerPins],
  builder: [...detachedPins, ...writerPins],
};

function pinsOf(purpose: SessionPurpose, major: number, without?: string): readonly Pin[] {
  const pins = [...textPins, ...timeoutPins, ...pinsByPurpose[purpose]];
  return pins.filter(({ name, since = 0 }) => since <= major && name !== without);
}

/**
 * The first statement of a session: tells its process and version, and pins.
 *
 * @param expectedPid when given, nothing is pinned unless this is the answering process. Behind a transaction pooler
 * it is another one, and a pin would stay on a server connection that the application gets next.
 * @param without the name of a setting that stays as it is
 */
export function pinStatement(
  purpose: SessionPurpose,
  major: number,
  expectedPid: number | undefined,
  without?: string,
): string {
  const calls = pinsOf(purpose, major, without).map(
    ({ name, value }) => `pg_catalog.set_config('${name}', '${value}', false)`,
  );
  const condition =
    expectedPid === undefined ? 'true' : `pg_catalog.pg_backend_pid() = ${expectedPid}`;
  return `SELECT pg_catalog.pg_backend_pid() AS pid,
    pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version,
    CASE WHEN ${condition} THEN ARRAY[${calls.join(', ')}] END IS NOT NULL AS pinned`;
}
