/**
 * Definitions of two sides, object by object.
 *
 * Invariant: each object that is on one side only, or reads otherwise on the other, is one difference. What may hold a
 * password (connections, options of foreign servers) is never quoted.
 */
import type { Difference, RoleOptions } from '../contract/restore.ts';
import { isOtherColumnOrder } from './column-order.ts';
import { type Definition, type Definitions, textOf } from './definitions.ts';
import { isPrintedDifferently } from './print-rules.ts';

export interface DefinedSide {
  readonly definitions: Definitions;
  readonly major: number;
}

export type RolesAsked = Pick<RoleOptions, 'noOwner' | 'noPrivileges' | 'map'>;

/** May hold passwords in their options. */
const secretive = new Set([
  'SERVER',
  'USER MAPPING',
  'SUBSCRIPTION',
  'FOREIGN DATA WRAPPER',
  'FOREIGN TABLE',
]);

const quotedAtMost = 300;

/** What a side has of an object that only the other one has. */
export const missing = 'missing';

/** @param roles what the right side was told to do otherwise with owners and rights */
export function compareDefinitions(
  left: DefinedSide,
  right: DefinedSide,
  roles?: RolesAsked,
): Difference[] {
  const [ours, theirs] = [left, right].map(({ definitions }) => withoutAsked(definitions, roles));
  const labels = new Set([...(ours?.keys() ?? []), ...(theirs?.keys() ?? [])]);
  return [...labels].flatMap((label) => {
    const [a, b] = [ours?.get(label) ?? [], theirs?.get(label) ?? []];
    const pairs = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => [a[i], b[i]]);
    return pairs.flatMap(([one, other]) => {
      if (one !== undefined && other !== undefined && textOf(one) === textOf(other)) return [];
      return [differenceOf(label, one, other, left.major, right.major, roles)];
    });
  });
}

function differenceOf(
  object: string,
  one: Definition | undefined,
  other: Definition | undefined,
  leftMajor: number,
  rightMajor: number,
  roles: RolesAsked | undefined,
): Difference {
  const type = (one ?? other)?.type ?? '';
  const base = { kind: kindOf(type, one, other), object };
  // Grants hang on owners: with other ones they are written otherwise.
  const isAsked = isRights(type) && (roles?.noOwner === true || hasMap(roles));
  if (one === undefined || other === undefined) {
    const words = (there: Definition | undefined) => (there === undefined ? missing : 'there');
    return { ...base, left: words(one), right: words(other), isExpected: isAsked };
  }
  const printed = [
    { text: textOf(one), major: leftMajor },
    { text: textOf(other), major: rightMajor },
  ] as const;
  const isExpected =
    isAsked ||
    isPrintedDifferently(type, ...printed) ||
    isOtherColumnOrder(type, printed[0].text, printed[1].text);
  const [left, right] = secretive.has(type)
    ? ['not the same', 'not the same']
    : firstDifference(printed[0].text, printed[1].text);
  return { ...base, left, right, isExpected };
}

/** A constraint that only one side has validated is a matter of its rows. */
function kindOf(type: string, one?: Definition, other?: Definition): string {
  if (isRights(type)) return 'rights';
  if (one === undefined || other === undefined) return 'schema';
  const valid = (definition: Definition) => textOf(definition).replaceAll(' NOT VALID', '');
  return valid(one) === valid(other) ? 'validity' : 'schema';
}

const isRights = (type: string) => type === 'ACL' || type === 'DEFAULT ACL';
const hasMap = (roles: RolesAsked | undefined) => Object.keys(roles?.map ?? {}).length > 0;

/** The first lines that are not the same. */
function firstDifference(one: string, other: string): [string, string] {
  const [ours, theirs] = [one.split('\n'), other.split('\n')];
  const at = ours.findIndex((line, index) => line !== theirs[index]);
  const index = at < 0 ? ours.length : at;
  const line = (lines: readonly string[]) => {
    const text = lines[index]?.trim() ?? '(nothing more)';
    return text.length > quotedAtMost ? `${text.slice(0, quotedAtMost)}…` : text;
  };
  return [line(ours), line(theirs)];
}

const ownerStatement = /^ALTER\s[^;]*\sOWNER TO\s/s;

/** With --no-owner and --no-privileges they are the restoring role's and nobody's: nothing to compare. */
function withoutAsked(definitions: Definitions, roles: RolesAsked | undefined): Definitions {
  if (roles?.noOwner !== true && roles?.noPrivileges !== true) return definitions;
  const kept = new Map<string, Definition[]>();
  for (const [label, same] of definitions) {
    const left = same.flatMap((definition) => {
      if (roles.noPrivileges && isRights(definition.type)) return [];
      if (!roles.noOwner) return [definition];
      const statements = definition.statements.filter((text) => !ownerStatement.test(text));
      return statements.length === 0 ? [] : [{ ...definition, statements }];
    });
    if (left.length > 0) kept.set(label, left);
  }
  return kept;
}

/** That owners and rights were not carried over was asked for, and is told. */
export function askedDifferences(roles: RolesAsked): Difference[] {
  const told = (object: string, right: string): Difference => ({
    ...{ kind: 'rights', object, left: 'as in the backup', right, isExpected: true },
  });
  return [
    ...(roles.noOwner ? [told('owners', 'the restoring role (--no-owner)')] : []),
    ...(roles.noPrivileges ? [told('rights', 'not restored (--no-privileges)')] : []),
    ...Object.entries(roles.map).map(([from, to]) => ({
      ...told(`role ${from}`, `${to} (--role-map)`),
      left: from,
    })),
  ];
}
