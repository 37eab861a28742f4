/**
 * A backup from a standby: only where the primary cannot end its snapshot.
 *
 * Two things of the primary end what an idle session holds there, after max_standby_streaming_delay: VACUUM, unless
 * hot_standby_feedback tells the primary what is still read, and exclusive locks (DDL, the truncation at the end of a
 * VACUUM), which no feedback holds off. So both settings count. Aurora's readers wait 30 s at most: never enough.
 */
import { HoldfastError } from '../contract/errors.ts';
import type { Session } from './session.ts';

export interface Standby {
  readonly hasFeedback: boolean;
  /** How long replay waits for a reader before it ends it; -1: for ever. */
  readonly delaySeconds: number;
  /** As the server writes it: `30s`. */
  readonly delay: string;
}

/** @returns undefined for a primary */
export async function readStandby(session: Session): Promise<Standby | undefined> {
  const [row] = await session.query<Standby & { isStandby: boolean }>(
    `SELECT pg_catalog.pg_is_in_recovery() AS "isStandby",
            pg_catalog.current_setting('hot_standby_feedback')::bool AS "hasFeedback",
            pg_catalog.current_setting('max_standby_streaming_delay') AS delay,
            (SELECT CASE WHEN setting = '-1' THEN -1 ELSE setting::float8 / 1000 END
               FROM pg_catalog.pg_settings WHERE name = 'max_standby_streaming_delay') AS "delaySeconds"`,
  );
  if (row?.isStandby !== true) return undefined;
  const { hasFeedback, delaySeconds, delay } = row;
  return { hasFeedback, delaySeconds, delay };
}

export const describeStandby = ({ hasFeedback, delay }: Standby): string =>
  `a standby (hot_standby_feedback = ${hasFeedback ? 'on' : 'off'}, max_standby_streaming_delay = ${delay})`;

/** @param holdSeconds the longest that a snapshot is held @throws StandbyRefusedError */
export function requireKeptSnapshot(standby: Standby, holdSeconds: number): void {
  const { hasFeedback, delaySeconds } = standby;
  if (hasFeedback && (delaySeconds < 0 || delaySeconds >= holdSeconds)) return;
  const why = hasFeedback ? 'DDL or VACUUM' : 'a VACUUM';
  throw new HoldfastError(
    'StandbyRefusedError',
    `The server is ${describeStandby(standby)}: ${why} on the primary ends the snapshot; allowed is on, ` +
      `with -1 or at least ${holdSeconds}s.`,
    { evidence: { ...standby, holdSeconds } },
  );
}

/** A primary passes. @throws StandbyRefusedError */
export async function refuseStandby(session: Session, holdSeconds: number): Promise<void> {
  const standby = await readStandby(session);
  if (standby !== undefined) requireKeptSnapshot(standby, holdSeconds);
}
