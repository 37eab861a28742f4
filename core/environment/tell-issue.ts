/**
 * An issue of zod's as a person would say it: `sources[0].jobs is 0; allowed is at least 1`.
 *
 * Invariant: of a key that is not known only its name is told, since what it holds may be a password.
 */
import { z } from 'zod';
import { nearest } from './nearest.ts';

type Path = readonly PropertyKey[];
type Json = Readonly<Record<string, unknown>>;

/** @param value all that was parsed @returns a sentence for each thing that is wrong, without a full stop */
export function tellIssue(issue: z.core.$ZodIssue, value: unknown, schema: z.ZodType): string[] {
  const { path } = issue;
  const here = pathText(path);
  const got = at(value, path);
  const is = here === '' ? tell(got) : `${here} is ${tell(got)}`;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, knownKeys(schema, path)));
    case 'invalid_type':
      if (got === undefined) return [`${here} is missing; it is ${article(issue.expected)}`];
      return [`${is}; allowed is ${article(issue.expected)}`];
    case 'invalid_value':
      if (got === undefined) return [`${here} is missing; allowed are ${list(issue.values)}`];
      return [`${is}; allowed are ${list(issue.values)}`];
    case 'too_small':
      return [
        `${is}; allowed is ${issue.inclusive === false ? 'more than' : 'at least'} ${limit(issue.origin, issue.minimum)}`,
      ];
    case 'too_big':
      return [`${is}; allowed is at most ${limit(issue.origin, issue.maximum)}`];
    case 'custom':
      // The rules tell the value themselves; those of one text alone say only what is allowed.
      return [
        /^(allowed|is no )/.test(issue.message)
          ? `${is}; ${issue.message.replace(/^is no /, 'it is no ')}`
          : `${here} ${issue.message}`,
      ];
    default:
      return [`${is}; ${issue.message}`];
  }
}

/** `sources[0].connection.secret` */
const pathText = (path: Path): string =>
  path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((part, key) => (part as Json | undefined)?.[key as string], value);
}

/** Objects are not told whole: something in one may be a password that was written in the wrong place. */
function tell(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '[] (empty)' : `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return JSON.stringify(value) ?? 'missing';
}

const list = (values: readonly unknown[]): string =>
  values.map((value) => JSON.stringify(value)).join(', ');

const kinds: Readonly<Record<string, string>> = {
  array: 'a list, in [ ]',
  object: 'an object, in { }',
  string: 'a text, in quotes',
  boolean: 'true or false',
  int: 'a whole number',
};
const article = (expected: string): string => kinds[expected] ?? `a ${expected}`;

function limit(origin: string, value: number | bigint): string {
  if (origin === 'array') return `${value} ${value === 1 ? 'entry' : 'entries'}`;
  return origin === 'string' ? `${value} characters` : String(value);
}

function unknownKey(key: string, path: Path, known: readonly string[]): string {
  const where = pathText([...path, key]);
  const close = nearest(key, known);
  const meant = close === undefined ? '' : `; did you mean ${close}?`;
  return `${where} is not known${meant}${meant === '' ? ';' : ''} allowed are ${known.join(', ')}`;
}

/** The keys that the schema knows at a path, from its JSON Schema: zod publishes that, and not its own inside. */
function knownKeys(schema: z.ZodType, path: Path): string[] {
  let node: Json = z.toJSONSchema(schema, { io: 'input', reused: 'inline' }) as Json;
  for (const part of path) {
    const next =
      typeof part === 'number' ? node['items'] : (node['properties'] as Json)[String(part)];
    node = (next ?? {}) as Json;
  }
  return Object.keys((node['properties'] ?? {}) as Json).filter((key) => key !== '$schema');
}
