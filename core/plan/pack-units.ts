/**
 * Packs slices into units: as many small ones together as make up a chunk, the biggest units first, so that no worker
 * begins a long one when the others are done.
 */
import type { Slice } from '../contract/plan.ts';

/**
 * Children of one Map and keys of one run: 10,000 unit numbers are 49 kB of state, of 256 kB allowed.
 * A unit of a database of 10 TB is then 1 GB, about half a minute of work.
 */
export const maxUnits = 10_000;

/** A COPY costs a round trip, a zstd stream and an encrypted message even for no rows: no more than this in one unit. */
const maxSlicesPerUnit = 512;

export interface UnitPlan {
  readonly units: readonly (readonly Slice[])[];
  /** What it took to stay within `maxUnits`; at least the aim. */
  readonly chunkBytes: number;
  readonly estimatedBytes: number;
}

/**
 * @param cut all slices for a given size of chunk
 * @param options.aimBytes size of a chunk; grows until the units are few enough
 * @param options.totalBytes of all slices, about: what no smaller chunk can hold within `limit` is not tried
 */
export async function packUnits(
  cut: (chunkBytes: number) => Promise<Slice[]>,
  options: { aimBytes: number; totalBytes: number; limit?: number },
): Promise<UnitPlan> {
  const { aimBytes, totalBytes, limit = maxUnits } = options;
  const leastBytes = Math.ceil(totalBytes / limit);
  for (
    let chunkBytes = Math.max(aimBytes, leastBytes);
    ;
    chunkBytes = Math.ceil(chunkBytes * 1.25)
  ) {
    const slices = await cut(chunkBytes);
    const units = pack(slices, chunkBytes);
    if (units.length <= limit) {
      const estimatedBytes = slices.reduce((sum, slice) => sum + slice.estimatedBytes, 0);
      return { units, chunkBytes, estimatedBytes };
    }
  }
}

/** Next-fit over falling sizes: a unit that is not the last is at least half full, or as many slices as may be. */
function pack(slices: readonly Slice[], chunkBytes: number): Slice[][] {
  const fixedBytes = chunkBytes / maxSlicesPerUnit;
  const weigh = ({ estimatedBytes }: Slice) => estimatedBytes + fixedBytes;
  // The sort is stable: of equal slices, those of one table stay together and in order.
  const sorted = [...slices].sort((a, b) => b.estimatedBytes - a.estimatedBytes);
  const units: { slices: Slice[]; weight: number }[] = [];
  for (const slice of sorted) {
    const last = units.at(-1);
    if (last !== undefined && last.weight + weigh(slice) <= chunkBytes) {
      last.slices.push(slice);
      last.weight += weigh(slice);
    } else {
      units.push({ slices: [slice], weight: weigh(slice) });
    }
  }
  return units.sort((a, b) => b.weight - a.weight).map((unit) => unit.slices);
}
