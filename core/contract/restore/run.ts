/** A restore as it was planned: what preflight found, and `run.json`. */
import { z } from 'zod';
import { restoreInputSchema } from './request.ts';

const count = z.int().nonnegative();

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
