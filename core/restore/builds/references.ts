/**
 * Statements of the backup in the records of builds: by their place, never by their text, which may hold secrets (a
 * trigger's argument, the body of a rule, the connection string of a subscription). Build takes the text from the backup.
 *
 * Invariant: a record holds references, and besides them only what Holdfast writes itself of names: SET, ANALYZE,
 * VALIDATE and the like.
 */
import { HoldfastError } from '../../contract/errors.ts';
import type { SchemaEntry } from '../../schema/split-entries.ts';
import type { DeferredCheck } from '../deferred-checks.ts';
import { checkLabel, commentStatement, putBackStatement } from './deferred-check-sql.ts';
import { labelOf, withLabel } from './labels.ts';
import { asIndexFirst, readConstraint } from './read-statement.ts';

/** What is made of a statement: a constraint that is validated later, or one in two steps, its index first. */
export type Form = 'as it stands' | 'not valid' | 'its index' | 'using its index';

const entryPattern = /^@post-data (\d+)\.(\d+) (as it stands|not valid|its index|using its index)$/;
const checkPattern = /^@deferred-check (\d+) (constraint|comment)$/;

/** @param entry index in the backup's post-data @param statement index in the entry's */
export const referenceTo = (entry: number, statement: number, form: Form = 'as it stands') =>
  `@post-data ${entry}.${statement} ${form}`;

/** @param check index in the fact `deferred-checks` */
export const referenceToCheck = (check: number, what: 'constraint' | 'comment') =>
  `@deferred-check ${check} ${what}`;

/** No SQL begins so. */
export const isReference = (statement: string): boolean => statement.startsWith('@');

/** Where the text is. */
export interface Texts {
  readonly entries: () => Promise<readonly SchemaEntry[]>;
  readonly checks: () => Promise<readonly DeferredCheck[]>;
}

/**
 * Texts in the place of references, each with its object's name in a comment before it; what is none stays.
 *
 * @throws InternalError for a reference to nothing
 */
export async function resolveReferences(
  statements: readonly string[],
  texts: Texts,
): Promise<string[]> {
  const resolved: string[] = [];
  for (const one of statements) resolved.push(isReference(one) ? await resolve(one, texts) : one);
  return resolved;
}

async function resolve(reference: string, { entries, checks }: Texts): Promise<string> {
  const [, entryIndex, statementIndex, form] = entryPattern.exec(reference) ?? [];
  if (form !== undefined) {
    const entry = (await entries())[Number(entryIndex)];
    const statement = entry?.statements[Number(statementIndex)];
    const sql = statement === undefined ? undefined : formed(statement, form as Form);
    if (entry !== undefined && sql !== undefined) return withLabel(labelOf(entry), sql);
  }
  const [, checkIndex, what] = checkPattern.exec(reference) ?? [];
  const check = what === undefined ? undefined : (await checks())[Number(checkIndex)];
  if (check !== undefined) {
    const sql = what === 'comment' ? commentStatement(check) : putBackStatement(check);
    return withLabel(checkLabel(check), sql);
  }
  throw new HoldfastError('InternalError', `Nothing in the backup is at ${reference}.`);
}

function formed(statement: string, form: Form): string | undefined {
  if (form === 'as it stands') return statement;
  if (form === 'not valid') return `${statement} NOT VALID`;
  const constraint = readConstraint(statement);
  const steps = constraint && asIndexFirst(constraint);
  return form === 'its index' ? steps?.index : steps?.constraint;
}
