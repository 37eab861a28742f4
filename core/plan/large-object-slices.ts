/** Slices for the large objects: their pages, and apart from them owner, ACL and comment. */
import type { Slice } from '../contract/plan.ts';
import { type LargeObjectFacts, largeObjectRanges } from '../inventory/large-objects.ts';
import type { Session } from '../postgres/session.ts';

/** A row (oid, owner, acl, comment) as text. */
const metadataBytes = 128;

export async function cutLargeObjects(
  session: Session,
  facts: LargeObjectFacts,
  chunkBytes: number,
): Promise<Slice[]> {
  const { count, bytes, by } = facts;
  if (count === 0) return [];
  const slices = async (how: 'pages' | 'functions' | 'metadata', bytesEach: number) => {
    const perRange = Math.max(1, Math.min(count, Math.floor(chunkBytes / bytesEach)));
    const ranges = await largeObjectRanges(session, perRange);
    return ranges.map(
      (range): Slice => ({
        of: 'large-objects',
        ...range,
        by: how,
        estimatedBytes: Math.round((bytesEach * count) / ranges.length),
      }),
    );
  };
  return [
    ...(await slices(by, Math.max(1, bytes / count))),
    ...(await slices('metadata', metadataBytes)),
  ];
}
