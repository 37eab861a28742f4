/** What a run keeps in the workspace: the run, its snapshot, its units, and the receipts of finished work. */
import { z } from 'zod';
import { filtersSchema } from './filters.ts';
import {
  copyFormatSchema,
  inventorySchema,
  objectSchema,
  segmentSchema,
  tableSchema,
  textSegmentSchema,
  tierSchema,
  warningSchema,
} from './manifest.ts';

const count = z.int().nonnegative();

export const backupOptionsSchema = z.strictObject({
  /** Aim of a unit's size, bytes on disk with TOAST. 64 MB: about 2 s of work, measured no slower than 128 MB. */
  chunkBytes: z
    .int()
    .positive()
    .default(64 << 20),
  onBlockedDdl: z.enum(['fail', 'cancel-waiter']).default('fail'),
  blockedDdlSeconds: z.number().positive().default(60),
  /** A holder looks this often whether anybody still works on the run; after three rounds of nobody it leaves. */
  holdRoundSeconds: z.number().positive().default(60),
  /** A holder leaves after this time whatever happens. 24 h. */
  holdDeadlineSeconds: z.number().positive().default(86_400),
  /** At most this long between two looks at the snapshot; at first a tenth of its age. */
  watchSeconds: z.int().positive().default(60),
  /** Units at once. */
  jobs: z.int().positive().default(8),
  /** LOCK TABLE over everything must be granted within this time. */
  lockSeconds: z.number().positive().default(30),
  /** A lease not renewed for this long is free. */
  leaseSeconds: z.int().positive().default(300),
  /** Seconds a task may take before it hands the rest back; 15 min of a Lambda less a margin. */
  taskSeconds: z.number().positive().default(840),
  /** Tables (`schema.name`) whose row security is shown, in the snapshot, to hide nothing from the dump role. */
  rowSecurityProven: z.array(z.string()).default([]),
});
export type BackupOptions = z.infer<typeof backupOptionsSchema>;

/**
 * By which the console links an execution to the one that started it. Step Functions reads it in the input; we do not.
 */
export const startedBy = {
  AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: z.string().optional(),
} as const;

/** Who asked: of an execution that was started by hand, CloudTrail knows more. */
export const requestedBySchema = z
  .strictObject({ user: z.string(), host: z.string() })
  .default({ user: 'start-execution', host: 'step-functions' });

/** The input of an execution of the state machine `backup`. */
export const backupInputSchema = z.strictObject({
  source: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  /** The time at which the schedule fired; claimed, so that a double delivery is a duplicate. */
  scheduledAt: z.iso.datetime().optional(),
  tier: tierSchema.default('manual'),
  labels: z.record(z.string(), z.string()).default({}),
  filters: filtersSchema.prefault({}),
  options: backupOptionsSchema.prefault({}),
  setId: z.string().optional(),
  requestedBy: requestedBySchema,
  ...startedBy,
});
export type BackupInput = z.infer<typeof backupInputSchema>;

export const runSchema = z.strictObject({
  runId: z.string(),
  backupId: z.string(),
  vaultId: z.string(),
  startedAt: z.iso.datetime(),
  input: backupInputSchema,
  server: z.strictObject({
    host: z.string(),
    port: z.int(),
    database: z.string(),
    version: z.string(),
    versionNum: z.int(),
  }),
  warnings: z.array(warningSchema),
  /** Fencing number of the lease. */
  fence: z.int(),
});
export type Run = z.infer<typeof runSchema>;

export const holderSchema = z.strictObject({
  pid: z.int(),
  applicationName: z.string(),
  /** As from pg_export_snapshot() of this holder: an exported name dies with the session that exported it. */
  snapshot: z.string(),
});
export type Holder = z.infer<typeof holderSchema>;

/** Sessions get at the snapshot by `importSnapshot` of core/snapshot/import-snapshot.ts. */
export const snapshotSchema = z.strictObject({
  /** As from pg_export_snapshot() of the first holder: names the snapshot for people, and may be dead already. */
  name: z.string(),
  instant: z.iso.datetime(),
  lsn: z.string().nullable(),
  attempt: z.int(),
  /** Key of the run's advisory lock, int8 as text: workers hold it shared. */
  advisoryKey: z.string(),
  /** pg_current_snapshot() in it. Exported names come again after a restart; this does not. */
  visibility: z.string(),
  tables: count,
  /**
   * oids of tables with row security that was shown to hide nothing (`options.rowSecurityProven`): a worker sets
   * `row_security = on` while it reads one of these and leaves it off for all others.
   */
  rowSecurityOnFor: z.array(count),
  holders: z.array(holderSchema),
});
export type SnapshotRecord = z.infer<typeof snapshotSchema>;

/** One stretch of rows that becomes one segment. */
export const sliceSchema = z.discriminatedUnion('of', [
  z.strictObject({
    of: z.literal('table'),
    oid: count,
    schema: z.string(),
    name: z.string(),
    columns: z.array(z.string()),
    where: z.string().optional(),
    /** ctid blocks [from, to); `to` null: to the end. Absent: the whole table. */
    blocks: z.strictObject({ from: count, to: count.nullable() }).optional(),
    format: copyFormatSchema,
    estimatedBytes: count,
  }),
  z.strictObject({
    of: z.literal('large-objects'),
    /** oids [from, to], as int8 text. */
    fromOid: count,
    toOid: count,
    /** pages: data by reading pg_largeobject; functions: data by lo_get; metadata: owner, ACL, comment. */
    by: z.enum(['pages', 'functions', 'metadata']),
    estimatedBytes: count,
  }),
]);
export type Slice = z.infer<typeof sliceSchema>;

export const unitSchema = z.strictObject({
  unit: count,
  /** 0 at first; a unit that ran out of time leaves its rest as the next part. */
  part: count,
  slices: z.array(sliceSchema),
});
export type Unit = z.infer<typeof unitSchema>;

/** Commit mark of (a part of) a unit: written If-None-Match: * when its object is complete in the vault. */
export const receiptSchema = z.strictObject({
  unit: count,
  part: count,
  object: objectSchema,
  /** `segment.object` is 0 here; Seal gives the real index. In the order of the slices. */
  segments: z.array(z.strictObject({ slice: sliceSchema, segment: segmentSchema })),
  hasRemainder: z.boolean(),
  durationMs: count,
});
export type Receipt = z.infer<typeof receiptSchema>;

/** A table as PlanUnits found it, less rows and segments, which come from receipts. */
export const plannedTableSchema = tableSchema.omit({
  rows: true,
  fingerprint: true,
  rawBytes: true,
  storedBytes: true,
  segments: true,
  format: true,
});
export type PlannedTable = z.infer<typeof plannedTableSchema>;

/** `inventory.json`: what PlanUnits found. Its units are `units/00000-0.json` and so on, without a gap. */
export const inventoryRecordSchema = z.strictObject({
  inventory: inventorySchema,
  tables: z.array(plannedTableSchema),
  units: count,
  /** Of the plan as it was made: grows with the database. */
  chunkBytes: count,
  /** In addition to those of the run. */
  warnings: z.array(warningSchema),
});
export type InventoryRecord = z.infer<typeof inventoryRecordSchema>;

/** `schema.json`: what DumpSchema wrote. Object indices are into `objects` of this document. */
export const schemaReceiptSchema = z.strictObject({
  /** Instant of the snapshot that it was dumped in: a later snapshot of the same run needs another dump. */
  snapshot: z.iso.datetime(),
  objects: z.array(objectSchema),
  sections: z.array(
    z.strictObject({
      name: z.enum(['globals', 'pre-data', 'sequences', 'post-data']),
      segment: textSegmentSchema,
    }),
  ),
  pgDumpVersion: z.string(),
});
export type SchemaReceipt = z.infer<typeof schemaReceiptSchema>;

export const verdictProblemSchema = z.strictObject({
  object: z.string(),
  /** `schema.table`, or what the segment holds; null when it concerns the whole object. */
  table: z.string().nullable(),
  kind: z.enum([
    'missing',
    'truncated',
    'size',
    'hash',
    'decryption',
    'decompression',
    'rows',
    'fingerprint',
    'signature',
  ]),
  detail: z.string(),
});
export type VerdictProblem = z.infer<typeof verdictProblemSchema>;

/** Result of VerifyUnit for one object of the manifest. */
export const objectVerdictSchema = z.strictObject({
  object: z.string(),
  verdict: z.enum(['intact', 'damaged']),
  segments: count,
  rows: count,
  storedBytes: count,
  problems: z.array(verdictProblemSchema),
});
export type ObjectVerdict = z.infer<typeof objectVerdictSchema>;
