/**
 * What of a server's error may be told: in messages, causes, logs, reports.
 *
 * Invariant: no value of a row. DETAIL (`Key (email)=(…) already exists.`, `Failing row contains (…)`), CONTEXT
 * (`COPY t, line 3: "…"`, `SQL statement "…"`) and HINT may hold some, the message does where a value cannot be read, and
 * what a function of the user's raises is anything. SQLSTATE, schema, table, column and constraint are always told.
 */
import pg from 'pg';

/** Classes whose DETAIL and HINT tell of sessions, files, settings, objects and rights. */
const tellsOfNoRow = /^(08|0A|25|28|2B|3D|3F|40|42|53|55|57|58)/;
/** Classes of the standard and of the server, whose messages name objects, or say nothing of a value. */
const namesObjects = /^(0[0-9A-Z]|2[1345678BDF]|3[4BDF]|4[024]|5[34578]|F0|HV|XX)/;
/** RAISE of PL/pgSQL and its like of PL/Python, with any SQLSTATE; what they do not name is of class P0, 38 or 39. */
const raised = /^(exec_stmt_raise|PLy_elog)/;
/** Frames of CONTEXT without a statement or a value. */
const frame =
  /^(PL\/pgSQL|SQL) function [\w."(), []{1,200}\)?( line \d+ at [\w ]{1,40}| statement \d+)$/;

const originals = new WeakMap<Error, pg.DatabaseError>();

/** @returns a copy with what may be told; the same one when it is such a copy already */
export function withoutRows(error: pg.DatabaseError): pg.DatabaseError {
  if (originals.has(error)) return error;
  const { code, severity, schema, table, column, dataType, constraint, routine, length } = error;
  const told = new pg.DatabaseError(messageOf(error), length, error.name);
  originals.set(told, error);
  const isOurs = isPlain(error) && tellsOfNoRow.test(code ?? '');
  const detail = isOurs ? error.detail : undefined;
  const hint = isOurs || code?.startsWith('F0') ? error.hint : undefined;
  const where = framesOf(error.where);
  const fields = { code, severity, schema, table, column, dataType, constraint, routine, detail };
  return Object.assign(told, fields, { hint, where });
}

/**
 * The server's error in all its words, for statements that read no row: definitions before there are rows, patterns and
 * conditions that the caller wrote. Nothing else may tell them.
 */
export function asSaid(error: unknown): pg.DatabaseError | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof pg.DatabaseError) return originals.get(at) ?? at;
  }
  return undefined;
}

/** What is asked of an error; a NOTICE or WARNING has it too. */
export interface Said {
  readonly severity?: string | undefined;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly routine?: string | undefined;
  readonly position?: string | undefined;
}

// A full disk says nothing of rows, whoever finds it.
const isRaised = ({ code = '', routine = '' }: Said) =>
  raised.test(routine) && !code.startsWith('53');

function isPlain(said: Said): boolean {
  const { code = '', position } = said;
  if (isRaised(said)) return false;
  // Of a statement's text the parser tells the position; else it is a value that has a syntax (tsquery, hstore, jsonpath).
  if (code === '42601' && position === undefined) return false;
  return namesObjects.test(code);
}

/** The message of an error, a warning or a notice, with what may be told of it. */
export function messageOf(said: Said): string {
  const { code = '', message = '' } = said;
  if (isPlain(said)) return message;
  if (!isRaised(said) && code.startsWith('22')) return withoutValues(code, message);
  if (!isRaised(said) && code === '42601') return quoted(message);
  return `a function raised ${code}; its text is in the server's log`;
}

/** From the first quotation mark to the last, in any language of the server. */
const quoted = (message: string) => message.replace(/["'«»„“‘].*["'«»“”’]/s, '…');

/** 22021, 22P05: only bytes are a value there, and the encodings have to be told. */
const ofEncodings = new Set(['22021', '22P05']);

function withoutValues(code: string, message: string): string {
  if (ofEncodings.has(code)) return message.replace(/0x[0-9a-f]{2}(,? 0x[0-9a-f]{2})*/gi, '…');
  return quoted(message)
    .replace(/: (?!…$).*$/s, ': …')
    .replace(/(?<![\w(,])[-+]?\d[^\s,)]*/g, '…');
}

function framesOf(where: string | undefined): string | undefined {
  const frames = where?.split('\n').filter((line) => frame.test(line)) ?? [];
  return frames.length === 0 ? undefined : frames.join(' · ');
}

const comments = /\/\*[\s\S]*?(?:\*\/|$)|--[^\n]*/g;
/** A name in quotes stays; of a text with a backslash the end is not certain, so that all behind it goes. */
const literals =
  /("(?:[^"]|"")*(?:"|$))|\$(\w*)\$[\s\S]*?(?:\$\2\$|$)|'[^'\\]*(?:''[^'\\]*)*(?:'|$|\\[\s\S]*)|(?<![\w"$.])\d[\w.]*/g;

/** Another session's statement, maybe cut off, without the texts and numbers in it. */
export function withoutLiterals(statement: string): string {
  return statement
    .replace(literals, (found, name: string | undefined) =>
      name === undefined ? (/^\d/.test(found) ? '…' : "'…'") : found,
    )
    .replace(comments, '');
}
