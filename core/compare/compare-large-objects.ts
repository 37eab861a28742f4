/**
 * Large objects of two sides: their data by fingerprint, their owners, rights and comments one by one when they differ.
 *
 * Invariant: the order of grants and a NULL for the usual rights are no difference; what the roles options changed is an
 * expected one.
 */
import type { Filters } from '../contract/filters.ts';
import type { Difference } from '../contract/restore.ts';
import type { RolesAsked } from './compare-definitions.ts';
import { linesOf, unescapeCopy } from './copy-lines.ts';
import type { LargeObjectParts, Side } from './side.ts';

/** Named by themselves; of more only the number is told. */
const namedAtMost = 100;

export const dataOfLargeObjects = 'data of the large objects';

export interface LargeObjectOptions {
  readonly roles?: RolesAsked | undefined;
  /** `metadata`: their data was compared by a unit of its own. */
  readonly parts?: LargeObjectParts;
}

export async function compareLargeObjects(
  left: Side,
  right: Side,
  filters: Filters,
  { roles, parts = 'all' }: LargeObjectOptions = {},
): Promise<Difference[]> {
  const [ours, theirs] = await Promise.all([
    left.largeObjects(filters, parts),
    right.largeObjects(filters, parts),
  ]);
  if (ours === null || theirs === null) return [];
  const differences: Difference[] = [];
  const isSameData =
    parts === 'metadata' ||
    (ours.data.rows === theirs.data.rows && ours.data.fingerprint === theirs.data.fingerprint);
  if (ours.count !== theirs.count || !isSameData) {
    const words = ({ count, data }: typeof ours) =>
      `${count} large objects${parts === 'all' ? `, ${data.rows} pages, fingerprint ${data.fingerprint}` : ''}`;
    differences.push({
      ...{ kind: 'large-objects', object: parts === 'all' ? dataOfLargeObjects : 'large objects' },
      ...{ left: words(ours), right: words(theirs), isExpected: false },
    });
  }
  if (ours.metadata.fingerprint !== theirs.metadata.fingerprint) {
    differences.push(...(await compareMetadata(left, right, roles)));
  }
  return differences;
}

async function compareMetadata(left: Side, right: Side, roles?: RolesAsked): Promise<Difference[]> {
  const ours = await factsOf(left, roles);
  const theirs = await factsOf(right, roles);
  const differing = [...new Set([...ours.keys(), ...theirs.keys()])].filter(
    (oid) => ours.get(oid) !== theirs.get(oid),
  );
  const named = differing.slice(0, namedAtMost).map((oid) => ({
    kind: 'large-objects',
    object: `large object ${oid}`,
    left: ours.get(oid) ?? 'missing',
    right: theirs.get(oid) ?? 'missing',
    isExpected: false,
  }));
  const more = differing.length - named.length;
  if (more === 0) return named;
  const rest = { kind: 'large-objects', object: `${more} more large objects` };
  return [
    ...named,
    { ...rest, left: 'other owner, rights or comment', right: '', isExpected: false },
  ];
}

/** By oid: owner, rights and comment in words that are the same for the same meaning. */
async function factsOf(side: Side, roles?: RolesAsked): Promise<Map<string, string>> {
  const facts = new Map<string, string>();
  for await (const line of linesOf(side.largeObjectMetadata())) {
    const [oid = '', ownerField, acl, comment] = line
      .toString('utf8')
      .split('\t')
      .map(unescapeCopy);
    const mapped = (role: string) => (side.kind === 'backup' ? (roles?.map[role] ?? role) : role);
    const owner = mapped(ownerField ?? '');
    const parts = [
      ...(roles?.noOwner ? [] : [`owner ${owner}`]),
      ...(roles?.noOwner || roles?.noPrivileges ? [] : rightsOf(acl ?? null, owner, mapped)),
      ...(comment === null || comment === undefined ? [] : [`comment ${JSON.stringify(comment)}`]),
    ];
    facts.set(oid ?? '', parts.join('; '));
  }
  return facts;
}

const aclItem = /^(?:"((?:[^"]|"")*)"|([^"=]*))=([A-Za-z*]*)\//s;

/** Without the owner's usual `rw`, which is there as soon as anything was granted; without grantors; in one order. */
function rightsOf(acl: string | null, owner: string, mapped: (role: string) => string): string[] {
  const items = arrayItems(acl ?? '{}').flatMap((item) => {
    const [, quoted, plain, rights = ''] = aclItem.exec(item) ?? [];
    const role = mapped(quoted?.replaceAll('""', '"') ?? plain ?? '');
    return role === owner && rights === 'rw' ? [] : [`${role === '' ? 'PUBLIC' : role}=${rights}`];
  });
  return items.length === 0 ? [] : [`rights ${items.sort().join(', ')}`];
}

/** The items of a one-dimensional array of texts: `{a,"b,c"}`. */
function arrayItems(array: string): string[] {
  const items = array.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/gs);
  return [...items].map(([, quoted, plain]) => quoted?.replaceAll(/\\(.)/gs, '$1') ?? plain ?? '');
}
