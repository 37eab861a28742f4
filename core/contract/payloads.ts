/**
 * What flows between the states of `backup`, `restore` and `drill`: input and output of each Task state. References and
 * counts only.
 * Handlers parse their input with these schemas; ASL tests check that each field a state selects exists.
 */
import { z } from 'zod';
import { replicaStateSchema } from './catalogue.ts';
import { tierSchema } from './manifest.ts';
import { backupInputSchema } from './plan.ts';
import { drillInputSchema, restoreInputSchema, restoreModeSchema } from './restore.ts';

const count = z.int().nonnegative();
const run = z.strictObject({ runId: z.string() });
/** Which tables a unit has, for people: core/run/unit-label.ts. */
const of = z.string().optional();
/** Input of the execution, whatever it is: tells of which source a run is that was never planned. */
const asked = z.unknown().optional();

export const payloads = {
  Plan: {
    /** `request`: `backupInputSchema`; what it leaves open the environment says (core/backup/request.ts). */
    input: z.strictObject({ runId: z.string(), request: z.unknown() }),
    output: z.strictObject({
      runId: z.string(),
      backupId: z.string(),
      jobs: z.int().positive(),
      isDuplicate: z.boolean(),
    }),
  },
  HoldSnapshot: {
    input: run.extend({ attempt: z.int().positive() }),
    output: z.strictObject({
      snapshot: z.string(),
      instant: z.string(),
      tables: count,
      holders: count,
    }),
  },
  DumpSchema: { input: run, output: z.strictObject({ sections: count, rawBytes: count }) },
  PlanUnits: {
    input: run,
    output: z.strictObject({ units: z.array(count), tables: count, estimatedBytes: count }),
  },
  WatchSnapshot: {
    input: run,
    output: z.strictObject({
      isDone: z.boolean(),
      ageSeconds: z.number(),
      holders: count,
      /** Until the next look. */
      waitSeconds: z.int().positive(),
    }),
  },
  DumpUnit: {
    input: run.extend({ unit: count, part: count }),
    output: z.strictObject({
      of,
      part: count,
      hasRemainder: z.boolean(),
      rows: count,
      storedBytes: count,
    }),
  },
  ReleaseSnapshot: { input: run, output: z.strictObject({ ended: count }) },
  AbortDump: {
    input: run.extend({ error: z.unknown() }),
    output: z.strictObject({ error: z.string(), cause: z.string() }),
  },
  Seal: {
    input: run,
    output: z.strictObject({
      backupId: z.string(),
      /** Indices into the manifest's objects, for the Map over VerifyUnit. */
      objects: z.array(count),
      tables: count,
      rows: count,
      storedBytes: count,
    }),
  },
  VerifyUnit: {
    input: run.extend({ object: count }),
    output: z.strictObject({ of, verdict: z.enum(['intact', 'damaged']), problems: count }),
  },
  Publish: {
    input: run,
    output: z.strictObject({
      state: z.literal('published'),
      verdict: z.enum(['intact', 'damaged']),
      /** Under which it is kept: that of the request, or a higher one. */
      tier: tierSchema,
      /** There is a copy of the vault in another Region: it is looked at next. */
      hasReplica: z.boolean(),
    }),
  },
  /** One object of the manifest, as the replica has it. Not there yet: ReplicaBehindError, and `behind` when it is late. */
  ReplicateUnit: {
    input: run.extend({ object: count }),
    output: z.strictObject({
      of,
      verdict: z.enum(['intact', 'damaged', 'behind']),
      problems: count,
    }),
  },
  RecordReplica: {
    input: run,
    output: z.strictObject({ replica: replicaStateSchema, objects: count }),
  },
  Report: {
    input: run,
    /** The summary of `backup --json`; its shape is `backupReportSchema`. */
    output: z.record(z.string(), z.unknown()),
  },
  Fail: {
    input: z.strictObject({ runId: z.string(), error: z.unknown(), request: asked }),
    output: z.strictObject({ error: z.string(), cause: z.string() }),
  },

  PlanRestore: {
    input: z.strictObject({ runId: z.string(), request: restoreInputSchema }),
    output: z.strictObject({
      /** That of an unfinished restore with the same request, when there is one: it is gone on with. */
      runId: z.string(),
      backupId: z.string(),
      mode: restoreModeSchema,
      jobs: z.int().positive(),
      isDryRun: z.boolean(),
      /** An earlier attempt has loaded, compared and checked it all: only the cutover is left. */
      isReady: z.boolean(),
      /** Input of an execution of `backup`; null when no safety backup is taken. */
      safety: backupInputSchema.nullable(),
      units: z.array(count),
    }),
  },
  /** Notes what the child execution gave, so that later states and the report know it. */
  NoteSafetyBackup: {
    input: run.extend({ backupId: z.string() }),
    output: z.strictObject({ backupId: z.string() }),
  },
  CreateTarget: { input: run, output: z.strictObject({ statements: count, tables: count }) },
  LoadUnit: {
    input: run.extend({ unit: count }),
    output: z.strictObject({ of, isDone: z.boolean(), rows: count, readBytes: count }),
  },
  FinishRows: { input: run, output: z.strictObject({ sequences: count, largeObjects: count }) },
  PlanBuilds: {
    input: run,
    /** Builds of one wave are independent of each other and need those of the waves before. */
    output: z.strictObject({ waves: z.array(z.array(count)), comparisons: z.array(count) }),
  },
  Build: {
    input: run.extend({ build: count }),
    /** Not done: it goes on in the server; look again after `waitSeconds`. */
    output: z.strictObject({
      of,
      isDone: z.boolean(),
      share: z.number().nullable(),
      waitSeconds: z.int().positive(),
    }),
  },
  CompareUnit: {
    input: run.extend({ unit: count }),
    output: z.strictObject({ of, isDone: z.boolean(), tables: count, differences: count }),
  },
  CompareSchema: { input: run, output: z.strictObject({ differences: count }) },
  RunChecks: { input: run, output: z.strictObject({ passed: count, failed: count }) },
  Cutover: {
    input: run,
    output: z.strictObject({ database: z.string(), previousDatabase: z.string().nullable() }),
  },
  ReportRestore: {
    input: run,
    /** The summary of `restore --json`; its shape is `restoreReportSchema`. */
    output: z.record(z.string(), z.unknown()),
  },
  /** As AbortDump, for the children of the Maps of a restore. */
  AbortRestore: {
    input: run.extend({ error: z.unknown() }),
    output: z.strictObject({ error: z.string(), cause: z.string() }),
  },
  FailRestore: {
    input: z.strictObject({ runId: z.string(), error: z.unknown(), request: asked }),
    output: z.strictObject({ error: z.string(), cause: z.string() }),
  },

  PlanDrill: {
    input: z.strictObject({ runId: z.string(), request: drillInputSchema }),
    output: z.strictObject({
      runId: z.string(),
      /** Another run has claimed the scheduled time: there is nothing to do. */
      isDuplicate: z.boolean(),
      /** Input of an execution of `restore`; null for a duplicate. */
      restore: restoreInputSchema.nullable(),
    }),
  },
  ConcludeDrill: {
    input: run.extend({
      /** Output of the child execution, or null when it failed. */
      restore: z.unknown(),
      error: z.unknown(),
      request: asked,
    }),
    /** As ReportRestore, of kind `drill`. */
    output: z.record(z.string(), z.unknown()),
  },
} as const;

export type StateName = keyof typeof payloads;
export type InputOf<S extends StateName> = z.infer<(typeof payloads)[S]['input']>;
export type OutputOf<S extends StateName> = z.infer<(typeof payloads)[S]['output']>;
