/**
 * What flows between the states of `backup`: input and output of each Task state. References and counts only.
 * Handlers parse their input with these schemas; ASL tests check that each field a state selects exists.
 */
import { z } from 'zod';
import { backupInputSchema } from './plan.ts';

const count = z.int().nonnegative();
const run = z.strictObject({ runId: z.string() });

export const payloads = {
  Plan: {
    input: z.strictObject({ runId: z.string(), request: backupInputSchema }),
    output: z.strictObject({
      runId: z.string(),
      backupId: z.string(),
      jobs: z.int().positive(),
      watchSeconds: z.int().positive(),
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
    output: z.strictObject({ isDone: z.boolean(), ageSeconds: z.number(), holders: count }),
  },
  DumpUnit: {
    input: run.extend({ unit: count, part: count }),
    output: z.strictObject({
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
    output: z.strictObject({ verdict: z.enum(['intact', 'damaged']), problems: count }),
  },
  Publish: {
    input: run,
    output: z.strictObject({
      state: z.literal('published'),
      verdict: z.enum(['intact', 'damaged']),
    }),
  },
  Report: {
    input: run,
    /** The summary of `backup --json`; its shape is `backupReportSchema`. */
    output: z.record(z.string(), z.unknown()),
  },
  Fail: {
    input: z.strictObject({ runId: z.string(), error: z.unknown() }),
    output: z.strictObject({ error: z.string(), cause: z.string() }),
  },
} as const;

export type StateName = keyof typeof payloads;
export type InputOf<S extends StateName> = z.infer<(typeof payloads)[S]['input']>;
export type OutputOf<S extends StateName> = z.infer<(typeof payloads)[S]['output']>;
