/** The fields of a function's log line: which state, run, source and unit, and how long it took. References only. */
import { z } from 'zod';
import type { FunctionName } from '../core/contract/functions.ts';

const text = z.string().optional().catch(undefined);
const index = z.number().optional().catch(undefined);

/** What the inputs of states have in common. Ids of runs on AWS begin with their source's name. */
const callSchema = z
  .looseObject({
    runId: text,
    source: text,
    unit: index,
    object: index,
    build: index,
    request: z
      .looseObject({ source: text, choice: z.looseObject({ source: text }).optional() })
      .optional()
      .catch(undefined),
    evidence: z.looseObject({ source: text }).optional().catch(undefined),
    detail: z.looseObject({ name: text }).optional().catch(undefined),
  })
  .catch({});

/** A type, not an interface: the logger wants an index signature, which only these have of themselves. */
export type CallDescription = {
  readonly state: FunctionName;
  readonly runId?: string;
  readonly source?: string;
  readonly requestId: string;
  readonly durationMs: number;
  readonly unit?: number;
};

/** @param beganMs as from `performance.now()` */
export function describeCall(
  state: FunctionName,
  event: unknown,
  requestId: string,
  beganMs: number,
): CallDescription {
  const { runId, source, unit, object, build, request, evidence, detail } = callSchema.parse(event);
  const named = source ?? request?.source ?? request?.choice?.source ?? evidence?.source;
  const part = unit ?? object ?? build;
  const run = runId ?? detail?.name;
  return {
    state,
    ...(run !== undefined && { runId: run }),
    ...(named !== undefined && { source: named }),
    ...(part !== undefined && { unit: part }),
    requestId,
    durationMs: Math.round(performance.now() - beganMs),
  };
}
