/**
 * Packs the segments of a backup into load units: the tail of the load is short, and neighbours are read together.
 *
 * Invariants: every segment that is wanted is in exactly one unit; small segments stand in a unit in the order in which
 * they lie in their object; all segments of an extension's table are in one unit, the first one first (core/restore/load/
 * load-rows.ts takes away what CREATE EXTENSION put there before it loads that one).
 */
import type { Manifest } from '../../contract/manifest.ts';
import type { LoadUnit } from '../../contract/restore.ts';

/** Children of one Map, as for a backup (core/plan/pack-units.ts); a unit may be only half full, so half of 10,000. */
const fullUnits = 5_000;
/** So that eight connections have four units each and none works alone at the end. */
const leastUnits = 32;
/** A unit costs a session and a task: below this many plain bytes that is more than the work. */
const leastUnitBytes = 8 << 20;
/** Round trips of a segment that is empty, as bytes that could be loaded meanwhile: 2 ms at 32 MB/s. */
const segmentCostBytes = 64 << 10;

type Item = LoadUnit['items'][number];

/** What is loaded in one go, by one unit. */
interface Load {
  readonly items: readonly Item[];
  readonly weight: number;
  /** Where its first segment lies. */
  readonly object: number;
  readonly offset: number;
}

/**
 * @param chosen indices into `manifest.tables`; those without rows in the backup have no segments
 * @param unitBytes aim of a unit's size, plain bytes; small databases get smaller units, very large ones larger
 * @returns units numbered from 0, in the order in which they should be begun: what is small comes last
 */
export function planLoads(
  manifest: Manifest,
  chosen: readonly number[],
  unitBytes: number,
  withLargeObjects: boolean,
): LoadUnit[] {
  const loads = [
    ...chosen.flatMap((table) => loadsOfTable(manifest, table)),
    ...(withLargeObjects ? loadsOfLargeObjects(manifest) : []),
  ];
  const total = loads.reduce((sum, { weight }) => sum + weight, 0);
  const wanted = Math.min(unitBytes, Math.max(leastUnitBytes, Math.ceil(total / leastUnits)));
  const aim = Math.max(wanted, Math.ceil(total / fullUnits));
  return pack(loads, aim).map((items, unit) => ({ unit, items }));
}

/** A load on its own for each segment, but for the tables of extensions. */
function loadsOfTable(manifest: Manifest, table: number): Load[] {
  const entry = manifest.tables[table];
  if (entry === undefined || entry.dataExcluded !== undefined) return [];
  const loads = entry.segments.map((segment, index) =>
    loadOf({ what: 'table', table, segment: index, rawBytes: segment.rawBytes }, segment),
  );
  const [first] = loads;
  if (entry.kind !== 'extension' || first === undefined) return loads;
  const weight = loads.reduce((sum, load) => sum + load.weight, 0);
  return [{ ...first, items: loads.flatMap(({ items }) => items), weight }];
}

/** Owners, rights and comments are FinishRows' work: an object must be there before it can be given away. */
function loadsOfLargeObjects({ largeObjects }: Manifest): Load[] {
  return largeObjects.data.segments.map((segment, index) =>
    loadOf(
      { what: 'large-object-data', table: null, segment: index, rawBytes: segment.rawBytes },
      segment,
    ),
  );
}

const loadOf = (
  item: Item,
  { object, offset }: { readonly object: number; readonly offset: number },
): Load => ({ items: [item], weight: item.rawBytes + segmentCostBytes, object, offset });

interface Packed {
  readonly loads: Load[];
  weight: number;
  /** Place in the order of the restore: 0 first, 1 last. */
  place: number;
}

/**
 * Large loads (more than a fourth of a unit): each unit of one table, and the tables in turn, because connections that
 * load the same table wait for each other when it grows. Small loads: in the order of the vault, last of all.
 */
function pack(loads: readonly Load[], aim: number): Item[][] {
  const isLarge = ({ weight }: Load) => weight > aim / 4;
  const small = loads
    .filter((load) => !isLarge(load))
    .sort((a, b) => a.object - b.object || a.offset - b.offset);
  const units = [...Map.groupBy(loads.filter(isLarge), tableOf).values()].flatMap((ofTable) => {
    const packed = nextFit(ofTable, aim);
    return packed.map((unit, index) => ({ ...unit, place: (index + 0.5) / packed.length }));
  });
  for (const unit of units) if (unit.weight > 2 * aim) unit.place = -unit.weight;
  return [...units.sort((a, b) => a.place - b.place), ...nextFit(small, aim)].map((unit) =>
    unit.loads.flatMap(({ items }) => items),
  );
}

const tableOf = ({ items }: Load) => items[0]?.table ?? -1;

function nextFit(loads: readonly Load[], aim: number): Packed[] {
  const units: Packed[] = [];
  for (const load of loads) {
    const last = units.at(-1);
    if (last !== undefined && last.weight + load.weight <= aim) {
      last.loads.push(load);
      last.weight += load.weight;
    } else {
      units.push({ loads: [load], weight: load.weight, place: 1 });
    }
  }
  return units;
}
