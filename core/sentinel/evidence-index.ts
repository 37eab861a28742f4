/**
 * Which records there are of a source's backups, by their keys alone: one listing says which of them are worth reading.
 * Invariant: nothing is believed of a key; whoever counts a record reads it and checks its signature.
 */
import { type EvidenceKind, evidenceKindSchema } from '../contract/catalogue.ts';
import type { Vault } from '../vault/vault.ts';

export interface RecordKey {
  readonly key: string;
  readonly kind: EvidenceKind;
}

/** By backup id; of each the oldest first, as the times in their names are. */
export type EvidenceIndex = ReadonlyMap<string, readonly RecordKey[]>;

export async function indexEvidence(vault: Vault, source: string): Promise<EvidenceIndex> {
  const index = new Map<string, RecordKey[]>();
  for await (const { key } of vault.list(`evidence/${source}/`)) {
    const [, backupId, name] = /^evidence\/[^/]+\/([^/]+)\/[^/]*-([a-z]+)\.json$/.exec(key) ?? [];
    const kind = evidenceKindSchema.safeParse(name).data;
    if (backupId === undefined || kind === undefined) continue;
    const records = index.get(backupId) ?? [];
    records.push({ key, kind });
    index.set(backupId, records);
  }
  return index;
}
