/**
 * Which records there are of a backup, by their keys alone: a listing says which of them are worth reading. Records are
 * never removed, so only those of the backups that are asked about are listed, not all that a source ever had.
 * Invariant: nothing is believed of a key; whoever counts a record reads it and checks its signature.
 */
import { type EvidenceKind, evidenceKindSchema } from '../contract/catalogue.ts';
import { vaultKeys } from '../vault/keys.ts';
import type { Vault } from '../vault/vault.ts';

export interface RecordKey {
  readonly key: string;
  readonly kind: EvidenceKind;
}

/** The oldest first, as the times in their names are. */
export async function indexEvidence(
  vault: Vault,
  source: string,
  backupId: string,
): Promise<RecordKey[]> {
  const records: RecordKey[] = [];
  for await (const { key } of vault.list(vaultKeys.evidenceOf(source, backupId))) {
    const kind = evidenceKindSchema.safeParse(/-([a-z]+)\.json$/.exec(key)?.[1]).data;
    if (kind !== undefined) records.push({ key, kind });
  }
  return records;
}
