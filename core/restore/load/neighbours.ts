/**
 * One range read for segments that lie side by side in an object: a thousand small tables are not a thousand requests.
 *
 * Invariant: nothing is read that was not asked for: only segments without a gap between them are read together.
 */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Manifest, Segment } from '../../contract/manifest.ts';
import type { SegmentDeps } from '../../verify/read-segment.ts';

type OpenReader = SegmentDeps['vault']['openReader'];

interface Stretch {
  readonly key: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Reads a stretch when its first segment is asked for, and keeps it for the others.
 *
 * @param segments small ones, in the order in which they will be asked for
 */
export function readingTogether(
  deps: SegmentDeps,
  { objects }: Pick<Manifest, 'objects'>,
  segments: readonly Segment[],
): SegmentDeps {
  const stretches = stretchesOf(objects, segments);
  const contents = new Map<Stretch, Promise<Buffer>>();
  const openReader: OpenReader = async (key, options = {}) => {
    const { range, ...version } = options;
    const stretch = stretches.find(
      (one) =>
        range !== undefined &&
        one.key === key &&
        one.offset <= range.offset &&
        range.offset + range.length <= one.offset + one.length,
    );
    if (stretch === undefined || range === undefined) return deps.vault.openReader(key, options);
    const reading = contents.get(stretch) ?? readWhole(deps, stretch, version);
    contents.set(stretch, reading);
    const at = range.offset - stretch.offset;
    return Readable.from([(await reading).subarray(at, at + range.length)]);
  };
  return { vaultId: deps.vaultId, keyRing: deps.keyRing, vault: { openReader } };
}

async function readWhole(
  { vault }: SegmentDeps,
  { key, offset, length }: Stretch,
  version: { readonly versionId?: string },
): Promise<Buffer> {
  return buffer(await vault.openReader(key, { ...version, range: { offset, length } }));
}

function stretchesOf(objects: Manifest['objects'], segments: readonly Segment[]): Stretch[] {
  const stretches: { key: string; offset: number; length: number }[] = [];
  for (const segment of segments) {
    const key = objects[segment.object]?.key ?? '';
    const last = stretches.at(-1);
    if (last !== undefined && last.key === key && last.offset + last.length === segment.offset) {
      last.length += segment.storedBytes;
    } else {
      stretches.push({ key, offset: segment.offset, length: segment.storedBytes });
    }
  }
  return stretches;
}
