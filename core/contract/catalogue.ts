/** Small documents about backups: the catalogue entry (so that listing opens no manifest), evidence, marker, report. */
import { z } from 'zod';
import { manifestSchema, tierSchema, warningSchema } from './manifest.ts';
import { verdictProblemSchema } from './plan.ts';

const count = z.int().nonnegative();

export const vaultMarkerSchema = z.strictObject({
  format: z.literal('holdfast-vault'),
  formatVersion: z.literal(1),
  vaultId: z.string(),
  createdAt: z.iso.datetime(),
  encryptionKeyId: z.string(),
  signingKeyId: z.string(),
});
export type VaultMarker = z.infer<typeof vaultMarkerSchema>;

export const catalogueEntrySchema = z.strictObject({
  formatVersion: z.literal(1),
  backupId: z.string(),
  source: z.string(),
  database: z.string(),
  state: z.literal('published'),
  scope: z.enum(['full', 'partial']),
  tier: tierSchema,
  setId: z.string().optional(),
  labels: z.record(z.string(), z.string()),
  serverVersion: z.string(),
  startedAt: z.iso.datetime(),
  snapshotAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  tables: count,
  rows: count,
  rawBytes: count,
  storedBytes: count,
  warnings: count,
});
export type CatalogueEntry = z.infer<typeof catalogueEntrySchema>;

export const evidenceKindSchema = z.enum([
  'verified',
  'published',
  'replicated',
  'proven',
  'damaged',
  'promoted',
  'held',
  'released',
]);
export type EvidenceKind = z.infer<typeof evidenceKindSchema>;

/** A signed, append-only record; stored as `{record, signature}` where the signature is over the exact text of `record`. */
export const evidenceRecordSchema = z.strictObject({
  formatVersion: z.literal(1),
  kind: evidenceKindSchema,
  backupId: z.string(),
  source: z.string(),
  at: z.iso.datetime(),
  by: z.strictObject({ user: z.string(), host: z.string() }),
  /** SHA-256 of the manifest that it speaks of. */
  manifestSha256: z.string(),
  facts: z.record(z.string(), z.unknown()),
});
export type EvidenceRecord = z.infer<typeof evidenceRecordSchema>;

/** `behind`: not all of it had arrived when the run ended; the sentinel looks again. */
export const replicaStateSchema = z.enum(['replicated', 'behind', 'damaged']);
export type ReplicaState = z.infer<typeof replicaStateSchema>;

/** `backup --json` and the output of the execution. */
export const backupReportSchema = z.strictObject({
  backupId: z.string(),
  runId: z.string(),
  state: z.enum(['published', 'failed', 'duplicate']),
  scope: z.enum(['full', 'partial']),
  source: manifestSchema.shape.source.extend({ database: z.string() }),
  serverVersion: z.string(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  tables: count,
  rows: count,
  rawBytes: count,
  storedBytes: count,
  compressionRatio: z.number(),
  segments: count,
  objects: count,
  durationMs: count,
  phases: z.record(z.string(), count),
  warnings: z.array(warningSchema),
  /** Where the vault is: `s3://…`, or a folder. Absent in reports of earlier versions. */
  vault: z.string().optional(),
  /** Key of the manifest in the vault. */
  manifest: z.string(),
  /** Under which it is kept; absent where nobody decides on it (one machine). */
  tier: tierSchema.optional(),
  /** Of the copy in another Region; absent where there is none. */
  replica: replicaStateSchema.optional(),
});
export type BackupReport = z.infer<typeof backupReportSchema>;

/** `verify --json`. */
export const verifyReportSchema = z.strictObject({
  backupId: z.string(),
  verdict: z.enum(['intact', 'damaged']),
  /** `quick`: sizes and hashes of the stored bytes only. */
  depth: z.enum(['full', 'quick']),
  objects: count,
  segments: count,
  rows: count,
  storedBytes: count,
  durationMs: count,
  problems: z.array(verdictProblemSchema),
});
export type VerifyReport = z.infer<typeof verifyReportSchema>;

/** `runs/<runId>/outcome.json`. */
export const outcomeSchema = z.strictObject({
  runId: z.string(),
  backupId: z.string().nullable(),
  source: z.string().nullable(),
  state: z.enum(['published', 'failed', 'duplicate']),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime(),
  error: z.string().nullable(),
  message: z.string().nullable(),
  hint: z.string().nullable(),
  /** After a failure: what was ended and given free. Absent in outcomes of earlier versions. */
  cleaned: z.array(z.string()).optional(),
});
export type Outcome = z.infer<typeof outcomeSchema>;
