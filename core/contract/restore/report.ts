/** What a restore found and did: differences, results of checks, the report. */
import { z } from 'zod';
import { objectivesSchema, restoreModeSchema } from './request.ts';
import { preflightItemSchema } from './run.ts';

const count = z.int().nonnegative();

export const differenceSchema = z.strictObject({
  /** `schema`, `rows`, `sequence`, `large-objects`, `setting`, `validity`, `census`, `rights`, `not-restored` … */
  kind: z.string(),
  /** `public.orders` … */
  object: z.string(),
  /** What each side has, in words. */
  left: z.string(),
  right: z.string(),
  /** Known, and no fault of the backup (printed differently by a newer major, asked for, refused to the role): listed, and not a difference. */
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
  /** After a failure: what was ended, dropped and opened again. Absent when there was nothing to do. */
  cleaned: z.array(z.string()).optional(),
  error: z.strictObject({ name: z.string(), message: z.string(), hint: z.string() }).nullable(),
  /** Path or URL of the HTML page. */
  page: z.string().nullable(),
  /** Of an execution's output: lists were cut to fit into a state; all of it is in `report.json`. */
  isCut: z.boolean().optional(),
});
export type RestoreReport = z.infer<typeof restoreReportSchema>;
