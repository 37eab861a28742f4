/** What a restore is asked for, and what it keeps in the workspace: the run, its units, builds, findings and outcome. */
import { z } from 'zod';

const count = z.int().nonnegative();
const name = z.string().min(1);

export const restoreModeSchema = z.enum(['new', 'swap', 'into']);
export type RestoreMode = z.infer<typeof restoreModeSchema>;

/** Which backup. `backup` is an id, the beginning of one, or `latest`; the others narrow the choice, newest first. */
export const choiceSchema = z.strictObject({
  source: z.string().optional(),
  backup: z.string().default('latest'),
  /** The newest whose snapshot is at or before this time. */
  at: z.iso.datetime({ offset: true }).optional(),
  labels: z.record(z.string(), z.string()).default({}),
  /** The id of the backup that a person was shown for this choice, and has agreed to: it and no newer one is taken. */
  meant: z.string().optional(),
});
export type Choice = z.infer<typeof choiceSchema>;

/** What of the backup, for mode `into`: patterns as in pg_dump. Empty: all. */
export const selectionSchema = z.strictObject({
  schemas: z.array(name).default([]),
  tables: z.array(name).default([]),
  /** SQL condition on the rows of the one table that is chosen. */
  where: z.string().optional(),
  /** Existing tables: what becomes of a row whose primary key is there already. */
  onConflict: z.enum(['error', 'skip', 'replace']).optional(),
  /** The one chosen table under another name, beside the original. */
  as: name.optional(),
  /** All chosen tables in another schema, beside the originals. */
  intoSchema: name.optional(),
  /** Foreign keys that the restored rows would break are made NOT VALID instead of refused. */
  allowOrphans: z.boolean().default(false),
});
export type Selection = z.infer<typeof selectionSchema>;

export const roleOptionsSchema = z.strictObject({
  /** Missing ones, as NOLOGIN. */
  createMissing: z.boolean().default(false),
  noOwner: z.boolean().default(false),
  noPrivileges: z.boolean().default(false),
  /** Role of the backup → role of the target. */
  map: z.record(z.string(), z.string()).default({}),
});
export type RoleOptions = z.infer<typeof roleOptionsSchema>;

/** A check of the user's own, after the comparison and before the cutover. */
export const ownCheckSchema = z.union([
  /** `expect`: the text of the first column of the first row, as psql prints it; default `t`. */
  z.strictObject({ name, sql: z.string(), expect: z.string().default('t') }),
  /** A shell command that must exit with 0; DATABASE_URL is the restored database. On one machine only. */
  z.strictObject({ name, command: z.string() }),
]);
export type OwnCheck = z.infer<typeof ownCheckSchema>;

export const restoreOptionsSchema = z.strictObject({
  /** Loads, builds and comparisons at once. */
  jobs: z.int().positive().default(8),
  /** Aim of a load unit's size, plain bytes. */
  unitBytes: z
    .int()
    .positive()
    .default(256 << 20),
  /** Objects of pre-data per statement batch: 3,000 CREATE TABLEs in one transaction exhaust the lock table. */
  batchObjects: z.int().positive().default(500),
  /** Seconds a task may take before it hands the rest back. */
  taskSeconds: z.number().positive().default(840),
  leaseSeconds: z.int().positive().default(300),
  /** Between two looks at an index that is being built. */
  pollSeconds: z.int().positive().default(5),
});
export type RestoreOptions = z.infer<typeof restoreOptionsSchema>;

export const objectivesSchema = z.strictObject({
  rtoSeconds: z.number().positive().optional(),
  rpoSeconds: z.number().positive().optional(),
});

/** The input of an execution of the state machine `restore`. */
export const restoreInputSchema = z.strictObject({
  /** Name of the target server's connection, as for a backup's source. */
  target: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  choice: choiceSchema.prefault({}),
  mode: restoreModeSchema.default('new'),
  /**
   * `new`: the database to create (default `<name>_restore_<id>`); `swap`: the one to replace (default: the backup's);
   * `into`: the one to write into (required).
   */
  database: name.optional(),
  selection: selectionSchema.prefault({}),
  roles: roleOptionsSchema.prefault({}),
  /** Before anything is replaced. */
  safetyBackup: z.boolean().default(true),
  /** May sessions of the database that is swapped away be ended? */
  disconnect: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  checks: z.array(ownCheckSchema).default([]),
  /** Shell commands around the cutover; one that fails before it rolls back, one after it is a warning. */
  hooks: z
    .strictObject({ beforeCutover: z.string().optional(), afterCutover: z.string().optional() })
    .prefault({}),
  /** Targets that the report measures against, seconds. */
  objectives: objectivesSchema.prefault({}),
  options: restoreOptionsSchema.prefault({}),
  requestedBy: z.strictObject({ user: z.string(), host: z.string() }),
});
export type RestoreInput = z.infer<typeof restoreInputSchema>;

export const preflightItemSchema = z.strictObject({
  /** Stable, kebab-case. */
  check: z.string(),
  verdict: z.enum(['ok', 'warning', 'failed']),
  message: z.string(),
  /** What to do, of a warning or failure. */
  hint: z.string().optional(),
});
export type PreflightItem = z.infer<typeof preflightItemSchema>;

/** `run.json`: written once by PlanRestore. */
export const restoreRunSchema = z.strictObject({
  runId: z.string(),
  input: restoreInputSchema,
  startedAt: z.iso.datetime(),
  backup: z.strictObject({
    source: z.string(),
    backupId: z.string(),
    manifestSha256: z.string(),
    database: z.string(),
    snapshotAt: z.iso.datetime(),
    serverVersionNum: z.int(),
  }),
  server: z.strictObject({
    host: z.string(),
    port: z.int(),
    version: z.string(),
    versionNum: z.int(),
  }),
  /** The database in which the work is done: the new one under its working name, or the existing one (`into`). */
  workDatabase: z.string(),
  /** What it is called in the end. */
  finalDatabase: z.string(),
  /** What the replaced one is called in the end (`swap`). */
  previousDatabase: z.string().nullable(),
  preflight: z.array(preflightItemSchema),
  estimate: z.strictObject({ seconds: z.number(), rawBytes: count, readBytes: count }),
  /** Load units, numbered from 0. */
  units: count,
  /** Fencing number of the lease on the target database. */
  fence: z.int(),
});
export type RestoreRun = z.infer<typeof restoreRunSchema>;

/** Segments of tables (`table` is an index into the manifest's) or of large objects, loaded one after another. */
export const loadUnitSchema = z.strictObject({
  unit: count,
  items: z.array(
    z.strictObject({
      what: z.enum(['table', 'large-object-data', 'large-object-metadata']),
      table: count.nullable(),
      /** Index into the segments of the table, or of the large objects' part. */
      segment: count,
      rawBytes: count,
    }),
  ),
});
export type LoadUnit = z.infer<typeof loadUnitSchema>;

/**
 * One thing to be built after the rows are in: an index, a constraint, a foreign key's validation, a materialized
 * view's refresh, the statistics of a table, a batch of small definitions.
 */
export const buildSchema = z.strictObject({
  build: count,
  kind: z.enum(['index', 'constraint', 'foreign-key', 'check', 'refresh', 'analyze', 'statements']),
  /** For people: `index public.orders_pkey`. */
  label: z.string(),
  /** Of `index`, `constraint`, `foreign-key`, `check`: what to look for in the catalogs. */
  object: z
    .strictObject({ schema: z.string(), name: z.string(), table: z.string().nullable() })
    .nullable(),
  /**
   * Of `statements`: one transaction. Of `analyze`: one after the other. Of the rest: settings, and at the end one
   * statement, which may take long and goes on without its client. What the backup defines is not written down: references
   * (core/restore/builds/references.ts) stand for it.
   */
  statements: z.array(z.string()).min(1),
});
export type Build = z.infer<typeof buildSchema>;

export const differenceSchema = z.strictObject({
  /** `schema`, `rows`, `sequence`, `large-objects`, `setting`, `validity`, `census`, `rights` … */
  kind: z.string(),
  /** `public.orders` … */
  object: z.string(),
  /** What each side has, in words. */
  left: z.string(),
  right: z.string(),
  /** Known and harmless (printed differently by a newer major): listed, and not a difference. */
  isExpected: z.boolean().default(false),
  /** With --rows: primary keys, as JSON texts. */
  keys: z.array(z.string()).optional(),
});
export type Difference = z.infer<typeof differenceSchema>;

export const comparedTableSchema = z.strictObject({
  table: z.string(),
  rows: count,
  fingerprint: z.string(),
  targetRows: count,
  targetFingerprint: z.string(),
});
export type ComparedTable = z.infer<typeof comparedTableSchema>;

/** `compared/<unit>.json` and `compared/schema.json`. */
export const comparisonSchema = z.strictObject({
  tables: z.array(comparedTableSchema),
  differences: z.array(differenceSchema),
});
export type Comparison = z.infer<typeof comparisonSchema>;

export const ownCheckResultSchema = z.strictObject({
  name: z.string(),
  isPassed: z.boolean(),
  expected: z.string(),
  got: z.string(),
  durationMs: count,
});
export type OwnCheckResult = z.infer<typeof ownCheckResultSchema>;

/** `restore --json`, the report's JSON, and (cut when it is large) the output of the execution. */
export const restoreReportSchema = z.strictObject({
  runId: z.string(),
  kind: z.enum(['restore', 'drill', 'dry-run']),
  state: z.enum(['succeeded', 'failed', 'checked', 'rolled-back']),
  /** `not-compared`: it ended before the comparison. */
  verdict: z.enum(['identical', 'different', 'not-compared']),
  mode: restoreModeSchema,
  backupId: z.string(),
  source: z.string(),
  sourceDatabase: z.string(),
  snapshotAt: z.iso.datetime(),
  server: z.string(),
  /** Where the rows are now; null when nothing was left. */
  database: z.string().nullable(),
  /** What was swapped away and is kept for `rollback`. */
  previousDatabase: z.string().nullable(),
  safetyBackupId: z.string().nullable(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  tables: count,
  rows: count,
  /** Stored bytes of rows and definitions that were read from the vault. */
  readBytes: count,
  rawBytes: count,
  /** From the request to the database that can be used. */
  rtoMs: count,
  /** Age of the snapshot when the restore was asked for: what would be lost. */
  rpoMs: count,
  objectives: objectivesSchema,
  /** Milliseconds by part: preflight, safetyBackup, create, load, build, compare, checks, cutover. */
  phases: z.record(z.string(), count),
  /** Start and end of each part, for the picture. */
  timeline: z.array(
    z.strictObject({ part: z.string(), from: z.iso.datetime(), to: z.iso.datetime() }),
  ),
  preflight: z.array(preflightItemSchema),
  comparedTables: z.array(comparedTableSchema),
  /** Of `different` with `isExpected` alone: rows that `skip` has kept. */
  differences: z.array(differenceSchema),
  /** Mode `into`, when it came to its cutover: what became of the rows of each table. */
  merged: z
    .array(
      z.strictObject({
        table: z.string(),
        /** Of the backup, that `where` lets pass. */
        rows: count,
        /** Inserted or replaced; with `skip` the rest was there already and was kept. */
        written: count,
        /** Of those that were kept: rows that are other ones than the backup's. */
        different: count,
        isNew: z.boolean(),
      }),
    )
    .optional(),
  checks: z.array(ownCheckResultSchema),
  warnings: z.array(z.strictObject({ code: z.string(), message: z.string(), hint: z.string() })),
  error: z.strictObject({ name: z.string(), message: z.string(), hint: z.string() }).nullable(),
  /** Path or URL of the HTML page. */
  page: z.string().nullable(),
  /** Of an execution's output: lists were cut to fit into a state; all of it is in `report.json`. */
  isCut: z.boolean().optional(),
});
export type RestoreReport = z.infer<typeof restoreReportSchema>;

/** The input of an execution of the state machine `drill`. */
export const drillInputSchema = restoreInputSchema
  .pick({
    target: true,
    choice: true,
    roles: true,
    checks: true,
    objectives: true,
    options: true,
    requestedBy: true,
  })
  .extend({ keepScratch: z.boolean().default(false) });
export type DrillInput = z.infer<typeof drillInputSchema>;

/** Tables that a comparison reads in one task; indices into the manifest's tables. */
export const compareUnitSchema = z.strictObject({
  unit: count,
  tables: z.array(count),
  /** The data of the large objects too. Owners, rights and comments are compared by CompareSchema. */
  largeObjects: z.boolean().optional(),
});
export type CompareUnit = z.infer<typeof compareUnitSchema>;
