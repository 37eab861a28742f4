/** Sequences, census, extensions and validity of two sides: facts that are few and are held in memory. */
import type { Inventory } from '../contract/manifest.ts';
import type { Difference } from '../contract/restore.ts';
import { missing, type RolesAsked } from './compare-definitions.ts';
import type { Validity } from './side.ts';
import { displayName } from './table-name.ts';

type Sequences = Inventory['sequences'];

/** Everything that is in one map only or has another value there. */
function compareMaps(
  kind: string,
  left: ReadonlyMap<string, string>,
  right: ReadonlyMap<string, string>,
): Difference[] {
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((object) => {
    const [ours, theirs] = [left.get(object) ?? missing, right.get(object) ?? missing];
    return ours === theirs ? [] : [{ kind, object, left: ours, right: theirs, isExpected: false }];
  });
}

export function compareSequences(left: Sequences, right: Sequences): Difference[] {
  const valuesOf = (sequences: Sequences) =>
    new Map(
      sequences.map((sequence) => [
        displayName(sequence),
        `${sequence.lastValue}${sequence.isCalled ? '' : ', not called yet'}`,
      ]),
    );
  return compareMaps('sequence', valuesOf(left), valuesOf(right));
}

type Census = Readonly<Record<string, number>>;

/** A kind that only one side counts (another version of Holdfast) is no difference. */
export function compareCensus(
  left: Census | null,
  right: Census | null,
  roles?: RolesAsked,
): Difference[] {
  if (left === null || right === null) return [];
  return Object.keys(left)
    .filter((kind) => right[kind] !== undefined && right[kind] !== left[kind])
    .map((kind) => ({
      kind: 'census',
      object: kind,
      left: String(left[kind]),
      right: String(right[kind]),
      isExpected: kind === 'defaultPrivileges' && roles?.noPrivileges === true,
    }));
}

/** That one is missing is told by the definitions; a server has its own versions. */
export function compareExtensions(
  left: Inventory['extensions'],
  right: Inventory['extensions'],
): Difference[] {
  const versions = new Map(right.map(({ name, version }) => [name, version]));
  return left.flatMap(({ name, version }) => {
    const theirs = versions.get(name);
    if (theirs === undefined || theirs === version) return [];
    const object = `version of extension ${name}`;
    return [{ kind: 'extension', object, left: version, right: theirs, isExpected: true }];
  });
}

/**
 * What a backup does not tell is not compared: an index that its source had as invalid is not in it, so there should be
 * none.
 */
export function compareValidity(left: Validity | null, right: Validity | null): Difference[] {
  const compare = (what: keyof Validity, object: string, bad: string, usual: string) => {
    const mapOf = (validity: Validity | null) =>
      new Map(
        (validity?.[what] ?? []).map((text) => {
          // Names are quoted when they hold anything but letters, digits and underscores.
          const [, name = text, state = bad] = /^(.*): (\w+)$/s.exec(text) ?? [];
          const isCode = what === 'damagedIndexes';
          return [`${object} ${name}`, isCode ? `${bad} (amcheck: ${state})` : state];
        }),
      );
    return compareMaps('validity', mapOf(left), mapOf(right)).map((difference) => ({
      ...difference,
      left: difference.left === missing ? usual : difference.left,
      right: difference.right === missing ? usual : difference.right,
    }));
  };
  const isKnown = left !== null && right !== null;
  return [
    ...compare('invalidIndexes', 'index', 'invalid', 'valid, or not there'),
    ...compare('damagedIndexes', 'index', 'damaged', 'whole'),
    ...(isKnown ? compare('switchedOff', 'foreign key', 'switched off', 'enforced') : []),
  ];
}
