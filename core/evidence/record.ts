/**
 * Evidence: signed, append-only records about a backup. What is known of a backup (verified, published, damaged, …) is
 * the sum of these, never a field that can be overwritten.
 *
 * Invariant: the signature is over the exact text in `record`, and a record counts only under the backup it names.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  type EvidenceKind,
  type EvidenceRecord,
  evidenceRecordSchema,
} from '../contract/catalogue.ts';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import { decodeJson, encodeJson } from '../vault/json.ts';
import { vaultKeys } from '../vault/keys.ts';
import { decodeStrictly, signatureSchema } from './signature-file.ts';

const envelopeSchema = z.strictObject({ record: z.string(), signature: signatureSchema });

export interface EvidenceInput {
  readonly kind: EvidenceKind;
  readonly source: string;
  readonly backupId: string;
  readonly by: { readonly user: string; readonly host: string };
  /** SHA-256 of the manifest that it speaks of, hex; `missing` when there is none any more. */
  readonly manifestSha256: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/**
 * Where this process may not sign it asks who may (`deps.record`).
 * @returns the key of the record
 */
export async function writeEvidence(
  deps: Pick<Deps, 'vault' | 'keyRing' | 'now' | 'record'>,
  input: EvidenceInput,
): Promise<string> {
  if (deps.record !== undefined) return deps.record(input);
  const at = deps.now();
  const record: EvidenceRecord = {
    formatVersion: 1,
    kind: input.kind,
    backupId: input.backupId,
    source: input.source,
    at: at.toISOString(),
    by: { user: input.by.user, host: input.by.host },
    manifestSha256: input.manifestSha256,
    facts: { ...input.facts },
  };
  const text = JSON.stringify(record);
  const signature = await deps.keyRing.sign(Buffer.from(text));
  const random = randomBytes(4).toString('hex');
  const key = vaultKeys.evidence(input.source, input.backupId, at, input.kind, random);
  await deps.vault.put(key, encodeJson({ record: text, signature }));
  return key;
}

/**
 * Reads one record and checks it.
 * @throws SignatureInvalidError when it was changed or belongs to another backup; KeyMismatchError
 */
export async function readEvidence(
  deps: Pick<Deps, 'vault' | 'keyRing'>,
  key: string,
): Promise<EvidenceRecord> {
  const envelope = decodeStrictly(envelopeSchema, await deps.vault.get(key), key);
  const text = Buffer.from(envelope.record);
  await deps.keyRing.verify(text, envelope.signature);
  const record = decodeJson(evidenceRecordSchema, text, key);
  const isInPlace =
    key.startsWith(vaultKeys.evidenceOf(record.source, record.backupId)) &&
    key.endsWith(`-${record.kind}.json`);
  if (!isInPlace) {
    throw new HoldfastError(
      'SignatureInvalidError',
      `${key} is a record "${record.kind}" of ${record.backupId}, which does not belong there.`,
    );
  }
  return record;
}

/** All records of a backup, oldest first, each checked. */
export async function* readAllEvidence(
  deps: Pick<Deps, 'vault' | 'keyRing'>,
  source: string,
  backupId: string,
): AsyncGenerator<EvidenceRecord & { readonly key: string }> {
  for await (const { key } of deps.vault.list(vaultKeys.evidenceOf(source, backupId))) {
    yield { ...(await readEvidence(deps, key)), key };
  }
}
