/**
 * Event triggers of a database may forbid what a restore has to do at its end: to drop its own bookkeeping.
 *
 * Invariant: they are off only within the statements that drop, in one transaction; nobody else's statements miss them.
 */
import type { Session } from '../postgres/session.ts';
import { identifier } from '../schema/sql-text.ts';

const enable: Readonly<Record<string, string>> = {
  O: 'ENABLE',
  R: 'ENABLE REPLICA',
  A: 'ENABLE ALWAYS',
};

/**
 * `sql` between statements that switch event triggers off and on again: those that this role may switch. Run it as one
 * query: the server makes it one transaction. ALTER EVENT TRIGGER itself fires none.
 */
export async function withoutEventTriggers(session: Session, sql: string): Promise<string> {
  const triggers = await enabled(session);
  return [
    ...triggers.map(({ name }) => off(name)),
    sql,
    ...triggers.map(
      ({ name, state }) => `ALTER EVENT TRIGGER ${identifier(name)} ${enable[state]}`,
    ),
  ].join(';\n');
}

/** For good: of a database that is about to be dropped. */
export async function switchOffEventTriggers(session: Session): Promise<void> {
  for (const { name } of await enabled(session)) await session.query(off(name));
}

const off = (name: string) => `ALTER EVENT TRIGGER ${identifier(name)} DISABLE`;

const enabled = (session: Session) =>
  session.query<{ name: string; state: string }>(
    `SELECT evtname AS name, evtenabled AS state FROM pg_catalog.pg_event_trigger
      WHERE evtenabled <> 'D' AND pg_catalog.pg_has_role(evtowner, 'USAGE') ORDER BY evtname`,
  );
