/**
 * Puts the triggers of foreign keys into the state that they had, after all rows are in.
 *
 * Invariant: needs a superuser; where the role is none (RDS) it is a WARNING that names the constraint, which becomes a
 * warning of the restore. A constraint that was left out is no error.
 */
import type { SwitchedOff } from '../../contract/manifest.ts';
import { dollarQuoted, literal } from '../../schema/sql-text.ts';
import type { Definition } from './draft.ts';
import { qualified } from './read-statement.ts';

const verbs = { disabled: 'DISABLE', replica: 'ENABLE REPLICA', always: 'ENABLE ALWAYS' } as const;

export const switchOffDefinitions = (all: readonly SwitchedOff[]): Definition[] =>
  all.map((one) => ({
    label: `state of foreign key ${one.constraint} on ${qualified(one.on)}`,
    statements: [statement(one)],
  }));

function statement({ constraint, of, on, function: name, state }: SwitchedOff): string {
  const body = `
DECLARE found record;
BEGIN
  FOR found IN
    SELECT t.tgname, pg_catalog.format('%I.%I', tn.nspname, tc.relname) AS relation
      FROM pg_catalog.pg_trigger t
      JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint AND k.contype = 'f'
      JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_class tc ON tc.oid = t.tgrelid
      JOIN pg_catalog.pg_namespace tn ON tn.oid = tc.relnamespace
      JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
     WHERE t.tgisinternal AND k.conname = ${literal(constraint)} AND p.proname = ${literal(name)}
       AND n.nspname = ${literal(of.schema)} AND c.relname = ${literal(of.name)}
       AND tn.nspname = ${literal(on.schema)} AND tc.relname = ${literal(on.name)}
  LOOP
    EXECUTE pg_catalog.format('ALTER TABLE ONLY %s ${verbs[state]} TRIGGER %I', found.relation, found.tgname);
  END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE WARNING '%', ${literal(`Foreign key ${constraint} on ${qualified(on)} was ${state} at the source and is enforced here: only a superuser may change that.`)};
END `;
  return `DO ${dollarQuoted(body)}`;
}
