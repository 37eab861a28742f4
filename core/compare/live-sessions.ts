/**
 * The sessions of a live side: one that stays open and holds the snapshot, and others that come into it.
 *
 * Invariant: every session in a transaction sees what the keeper sees; the schemas of a restore's own bookkeeping are
 * known, and are no part of the database.
 */
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import { describeTarget } from '../postgres/connect.ts';
import { sqlstateOf } from '../postgres/connect-errors.ts';
import type { ConnectionSettings } from '../postgres/connection.ts';
import { openSession, type Session } from '../postgres/session.ts';
import { exportSnapshot } from '../snapshot/fix-snapshot.ts';

export class LiveSessions {
  readonly keeper: Session;
  readonly snapshotName: string;
  /** Schemas that restores keep their books in. */
  readonly bookkeeping: readonly string[];
  readonly #settings: ConnectionSettings;
  readonly #applicationName: string;

  private constructor(
    keeper: Session,
    snapshotName: string,
    bookkeeping: readonly string[],
    settings: ConnectionSettings,
    applicationName: string,
  ) {
    this.keeper = keeper;
    this.snapshotName = snapshotName;
    this.bookkeeping = bookkeeping;
    this.#settings = settings;
    this.#applicationName = applicationName;
  }

  /** @throws what `openSession` throws */
  static async open(settings: ConnectionSettings, applicationName: string): Promise<LiveSessions> {
    const keeper = await openSession(settings, { applicationName, purpose: 'worker' });
    try {
      await keeper.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const rows = await keeper.query<{ name: string }>(
        `SELECT nspname AS name FROM pg_catalog.pg_namespace
          WHERE nspname ~ '^holdfast_restore(_[0-9a-f]{8})?$' ORDER BY 1`,
      );
      const bookkeeping = rows.map(({ name }) => name);
      const name = await exportSnapshot(keeper);
      return new LiveSessions(keeper, name, bookkeeping, settings, applicationName);
    } catch (error) {
      keeper.destroy();
      throw error;
    }
  }

  get label(): string {
    return describeTarget(this.#settings);
  }

  /** Outside of any transaction. */
  idle(): Promise<Session> {
    const applicationName = this.#applicationName;
    return openSession(this.#settings, { applicationName, purpose: 'worker' });
  }

  /** In a transaction in the snapshot. */
  async reader(): Promise<Session> {
    const session = await this.idle();
    try {
      await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      await session.query(`SET TRANSACTION SNAPSHOT '${this.snapshotName}'`).catch(withoutSnapshot);
      return session;
    } catch (error) {
      session.destroy();
      throw error;
    }
  }
}

/** "Invalid snapshot identifier" before PostgreSQL 17, "does not exist" since. */
const unknownSnapshot = ['22023', '42704'];

/** The snapshot is gone when the session that holds it was ended; a comparison that begins again has another one. */
export function withoutSnapshot(error: unknown): never {
  const isGone =
    isHoldfastError(error, 'SnapshotLostError') ||
    unknownSnapshot.includes(sqlstateOf(error) ?? '');
  if (!isGone) throw error;
  throw new HoldfastError(
    'ConnectionLostError',
    'The session that holds the snapshot of the comparison was ended.',
    { cause: error, hint: 'Find out who ends our sessions, then compare again.' },
  );
}
