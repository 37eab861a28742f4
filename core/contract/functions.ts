/**
 * Functions that are no state of a machine; each has a file of its name in lambdas/, as states have. What they are called
 * with and give.
 */
import { z } from 'zod';
import { evidenceRecordSchema } from './catalogue.ts';
import type { StateName } from './payloads.ts';

export const extraFunctions = ['Record', 'Sentinel', 'CleanUp'] as const;
export type ExtraFunction = (typeof extraFunctions)[number];
export type FunctionName = StateName | ExtraFunction;

const age = z.number().nonnegative().nullable();

/** What an alarm's mail and `holdfast status --json` say of one source. */
export const sourceStatusSchema = z.strictObject({
  source: z.string(),
  /** The newest published backup that `latest` may mean: whole, and none of tier `safety`; null: there is none. */
  newest: z.string().nullable(),
  /** Seconds since the snapshot of the newest whole backup that is so far, of published ones but for `sealed`; null: none is. */
  sealedAgeSeconds: age,
  verifiedAgeSeconds: age,
  replicatedAgeSeconds: age,
  provenAgeSeconds: age,
  /** Null: nothing is promised, or no backup can be replicated. */
  rpoSeconds: z.number().positive().nullable(),
  isWithinRpo: z.boolean().nullable(),
  /** The newest backup has no copy, an hour after it was published. Null: there is nowhere to copy to. */
  isReplicaBehind: z.boolean().nullable(),
  /** Sealed for hours and not published: their run ended between. */
  unpublished: z.array(z.string()),
  /** What could not be read or is not trusted, in words. */
  problems: z.array(z.string()),
});
export type SourceStatus = z.infer<typeof sourceStatusSchema>;

/** How Step Functions tells EventBridge of the end of an execution: of `detail`, what is used. */
const executionEndedSchema = z.looseObject({
  'detail-type': z.literal('Step Functions Execution Status Change'),
  detail: z.looseObject({
    status: z.string(),
    name: z.string(),
    stateMachineArn: z.string(),
    error: z.string().nullish(),
    cause: z.string().nullish(),
    input: z.string().nullish(),
  }),
});

const machineSchema = z.enum(['backup', 'restore', 'drill']);

export const functionPayloads = {
  Record: {
    input: z.strictObject({
      /** In whose name it is asked. */
      state: z.string(),
      evidence: evidenceRecordSchema.omit({ formatVersion: true, at: true }).extend({
        // Both become parts of a key.
        source: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
        backupId: z.string().regex(/^[a-z0-9][A-Za-z0-9-]{0,127}$/),
      }),
    }),
    output: z.strictObject({ key: z.string() }),
  },
  Sentinel: {
    /** The schedule gives {}. Scheduler and people may add what they like to know it by. */
    input: z.looseObject({}),
    output: z.strictObject({ at: z.iso.datetime(), sources: z.array(sourceStatusSchema) }),
  },
  CleanUp: {
    input: z.union([
      executionEndedSchema,
      z.strictObject({ machine: machineSchema, runId: z.string() }),
    ]),
    output: z.strictObject({
      machine: machineSchema,
      runId: z.string(),
      /** `ended`: it had an outcome already. `unknown`: it has written nothing down. */
      found: z.enum(['unended', 'ended', 'unknown']),
      /** What was done, in words; empty when there was nothing to do. */
      cleaned: z.array(z.string()),
      /** What could not be done. */
      troubles: z.array(z.string()),
    }),
  },
} as const;

export type FunctionInput<F extends ExtraFunction> = z.infer<(typeof functionPayloads)[F]['input']>;
export type FunctionOutput<F extends ExtraFunction> = z.infer<
  (typeof functionPayloads)[F]['output']
>;
