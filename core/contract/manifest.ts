/**
 * Manifest v1: the signed table of contents of one backup, written last; its presence is the commit mark.
 *
 * A field never changes meaning once published. Readers of every published version are kept for ever.
 * Sizes are bytes, times ISO 8601 in UTC, durations milliseconds, counts of rows safe integers.
 */
import { z } from 'zod';
import { filtersSchema } from './filters.ts';

const count = z.int().nonnegative();
const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const time = z.iso.datetime();

export const tierSchema = z.enum([
  'hourly',
  'daily',
  'weekly',
  'monthly',
  'yearly',
  'manual',
  'safety',
]);
export type Tier = z.infer<typeof tierSchema>;

/** Sum over the rows of a 128-bit hash of each, mod 2^128, big-endian hex; 32 zeros for no rows. See docs/fingerprint.md. */
export const fingerprintSchema = hex(32);

export const copyFormatSchema = z.enum(['text', 'binary']);
export type CopyFormat = z.infer<typeof copyFormatSchema>;

/** One encrypted, compressed stream inside an object; can be read and opened on its own. */
export const segmentSchema = z.strictObject({
  /** Index into `objects`. */
  object: count,
  /** Where it lies in the object. */
  offset: count,
  storedBytes: count,
  /** SHA-256 of the stored bytes. */
  sha256: hex(64),
  rawBytes: count,
  compressedBytes: count,
  rows: count,
  fingerprint: fingerprintSchema,
  format: copyFormatSchema,
  /** Range of blocks of the table that it holds; absent when it is not from a ctid range. */
  blocks: z.strictObject({ from: count, to: count.nullable() }).optional(),
});
export type Segment = z.infer<typeof segmentSchema>;

export const textSegmentSchema = segmentSchema.pick({
  object: true,
  offset: true,
  storedBytes: true,
  sha256: true,
  rawBytes: true,
  compressedBytes: true,
});
export type TextSegment = z.infer<typeof textSegmentSchema>;

export const objectSchema = z.strictObject({
  key: z.string(),
  versionId: z.string(),
  storedBytes: count,
  sha256: hex(64),
});

export const tableSchema = z.strictObject({
  oid: count,
  schema: z.string(),
  name: z.string(),
  owner: z.string(),
  /** `extension`: configuration rows of an extension's own table, chosen by `where`. */
  kind: z.enum(['table', 'partition', 'extension']),
  persistence: z.enum(['permanent', 'unlogged']),
  /** The partitioned root, for a partition. */
  root: z.strictObject({ schema: z.string(), name: z.string() }).optional(),
  extension: z.string().optional(),
  /** Condition of an extension's configuration table, SQL. */
  where: z.string().optional(),
  /** In the order of the COPY; generated columns are not among them. */
  columns: z.array(z.string()),
  /** Why there are no rows in the backup although the definition is. */
  dataExcluded: z.enum(['filter', 'schema-only', 'unlogged-on-standby']).optional(),
  format: copyFormatSchema,
  rows: count,
  fingerprint: fingerprintSchema,
  rawBytes: count,
  storedBytes: count,
  segments: z.array(segmentSchema),
});
export type TableEntry = z.infer<typeof tableSchema>;

export const sequenceSchema = z.strictObject({
  schema: z.string(),
  name: z.string(),
  /** int8 as text: it may be beyond 2^53. */
  lastValue: z.string(),
  isCalled: z.boolean(),
});

export const roleSchema = z.strictObject({
  name: z.string(),
  canLogin: z.boolean(),
  isSuperuser: z.boolean(),
  inherits: z.boolean(),
  canCreateRole: z.boolean(),
  canCreateDatabase: z.boolean(),
  canReplicate: z.boolean(),
  bypassesRowSecurity: z.boolean(),
  connectionLimit: z.int(),
  validUntil: z.string().nullable(),
  memberOf: z.array(
    z.strictObject({
      role: z.string(),
      hasAdminOption: z.boolean(),
      grantor: z.string().nullable(),
      /** From PostgreSQL 16 on: WITH INHERIT, WITH SET. */
      inherits: z.boolean().optional(),
      canSet: z.boolean().optional(),
    }),
  ),
  comment: z.string().nullable(),
  /** `name=value`, as in pg_db_role_setting, for every database (database null) and for this one. */
  settings: z.array(z.strictObject({ inThisDatabase: z.boolean(), setting: z.string() })),
});

export const databaseSchema = z.strictObject({
  name: z.string(),
  owner: z.string(),
  encoding: z.string(),
  localeProvider: z.string(),
  collate: z.string().nullable(),
  ctype: z.string().nullable(),
  locale: z.string().nullable(),
  icuRules: z.string().nullable(),
  collationVersion: z.string().nullable(),
  connectionLimit: z.int(),
  tablespace: z.string(),
  isTemplate: z.boolean(),
  /** aclitem texts; null means the default. */
  acl: z.array(z.string()).nullable(),
  comment: z.string().nullable(),
  securityLabels: z.array(z.strictObject({ provider: z.string(), label: z.string() })),
  /** `name=value`, ALTER DATABASE … SET. */
  settings: z.array(z.string()),
});

export const extensionSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  schema: z.string(),
  isTrusted: z.boolean().nullable(),
});

export const collationSchema = z.strictObject({
  schema: z.string(),
  name: z.string(),
  provider: z.string(),
  recordedVersion: z.string().nullable(),
  actualVersion: z.string().nullable(),
});

/**
 * A trigger by which a foreign key is enforced and which is not in its usual state. Its name differs from server to
 * server: it is known by the constraint, the table that it stands on, and its function.
 */
export const switchedOffSchema = z.strictObject({
  constraint: z.string(),
  /** The table that has the foreign key. */
  of: z.strictObject({ schema: z.string(), name: z.string() }),
  /** The table that the trigger stands on: that one, or the one it refers to. */
  on: z.strictObject({ schema: z.string(), name: z.string() }),
  /** `RI_FKey_check_ins`, … */
  function: z.string(),
  state: z.enum(['disabled', 'replica', 'always']),
});
export type SwitchedOff = z.infer<typeof switchedOffSchema>;

/** What a populated materialized view held under the snapshot; its rows are not in the backup, a restore refreshes it. */
export const materializedViewSchema = z.strictObject({
  schema: z.string(),
  name: z.string(),
  /** null, both of them: it was not read. */
  rows: count.nullable(),
  /** As of a table's rows, over all columns as COPY text. */
  fingerprint: fingerprintSchema.nullable(),
  /** Why not: too large, no time, no right to, or an error of the server. */
  notRead: z.enum(['size', 'time', 'rights', 'failed']).optional(),
});
export type MaterializedView = z.infer<typeof materializedViewSchema>;

export const warningSchema = z.strictObject({
  /** Stable, kebab-case. */
  code: z.string(),
  message: z.string(),
  hint: z.string(),
});
export type Warning = z.infer<typeof warningSchema>;

/** The facts read from the catalogs under the snapshot, other than tables. */
export const inventorySchema = z.strictObject({
  database: databaseSchema,
  extensions: z.array(extensionSchema),
  collations: z.array(collationSchema),
  roles: z.array(roleSchema),
  sequences: z.array(sequenceSchema),
  /** Absent in backups that were made before it was read. */
  switchedOff: z.array(switchedOffSchema).optional(),
  /** Those that a restore refreshes. Absent in backups that were made before it was read. */
  materializedViews: z.array(materializedViewSchema).optional(),
  /** Counts by kind: tables, partitionedTables, views, functions, indexes, … */
  census: z.record(z.string(), count),
});
export type Inventory = z.infer<typeof inventorySchema>;

export const largeObjectsSchema = z.strictObject({
  count,
  /** Pages of 2 kB: rows of pg_largeobject (loid, pageno, data). */
  data: z.strictObject({
    rows: count,
    fingerprint: fingerprintSchema,
    segments: z.array(segmentSchema),
  }),
  /** Rows (oid, owner, acl, comment). */
  metadata: z.strictObject({
    rows: count,
    fingerprint: fingerprintSchema,
    segments: z.array(segmentSchema),
  }),
});

export const manifestSchema = z.strictObject({
  formatVersion: z.literal(1),
  backupId: z.string(),
  vaultId: z.string(),
  runId: z.string(),
  /** The same for all databases that one `--all-databases` backed up. */
  setId: z.string().optional(),
  tier: tierSchema,
  labels: z.record(z.string(), z.string()),
  source: z.strictObject({
    kind: z.literal('postgres'),
    name: z.string(),
    host: z.string(),
    port: z.int(),
    serverVersion: z.string(),
    serverVersionNum: z.int(),
  }),
  scope: z.enum(['full', 'partial']),
  filters: filtersSchema,
  snapshot: z.strictObject({ instant: time, lsn: z.string().nullable(), name: z.string() }),
  startedAt: time,
  sealedAt: time,
  createdBy: z.strictObject({ user: z.string(), host: z.string() }),
  encryption: z.strictObject({
    suite: z.string(),
    wrapping: z.enum(['raw-aes', 'aws-kms-mrk']),
    keyId: z.string(),
  }),
  signingKeyId: z.string(),
  compression: z.strictObject({ algorithm: z.literal('zstd'), level: z.int() }),
  fingerprintAlgorithm: z.literal('xxh64x2-sum128'),
  inventory: inventorySchema,
  /** `pre-data`, `post-data`, `globals`, `sequences`: SQL text, in the order in which psql runs them (data before `post-data`). */
  schema: z.array(
    z.strictObject({
      name: z.enum(['globals', 'pre-data', 'sequences', 'post-data']),
      segment: textSegmentSchema,
    }),
  ),
  tables: z.array(tableSchema),
  largeObjects: largeObjectsSchema,
  objects: z.array(objectSchema),
  totals: z.strictObject({
    tables: count,
    rows: count,
    rawBytes: count,
    compressedBytes: count,
    storedBytes: count,
    segments: count,
    objects: count,
  }),
  plan: z.strictObject({ units: count, chunkBytes: count }),
  phases: z.record(z.string(), count),
  warnings: z.array(warningSchema),
  tools: z.strictObject({ holdfast: z.string(), node: z.string(), pgDump: z.string() }),
});
export type Manifest = z.infer<typeof manifestSchema>;
