/**
 * When which state ran: each control state leaves its span in the workspace, and the time of the Maps is what lies
 * between their neighbours. A state that was tried again counts from its first start to its last end.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import type { StateName } from '../contract/payloads.ts';
import { getJson, putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';

const spanSchema = z.strictObject({ from: z.iso.datetime(), to: z.iso.datetime() });
export type Span = z.infer<typeof spanSchema>;

const spanned = [
  'Plan',
  'HoldSnapshot',
  'DumpSchema',
  'PlanUnits',
  'ReleaseSnapshot',
  'Seal',
  'Publish',
  'RecordReplica',
] as const satisfies readonly StateName[];
export type SpannedState = (typeof spanned)[number];

export async function recordSpan(
  deps: Pick<Deps, 'workspace'>,
  runId: string,
  state: SpannedState,
  span: { readonly from: Date; readonly to: Date },
): Promise<void> {
  const key = workspaceKeys.phase(runId, state);
  const earlier = await getJson(deps.workspace, spanSchema, key);
  const from = earlier?.from ?? span.from.toISOString();
  await putJson(deps.workspace, key, { from, to: span.to.toISOString() } satisfies Span);
}

/** @returns undefined when the state has not ended */
export async function endOf(
  deps: Pick<Deps, 'workspace'>,
  runId: string,
  state: SpannedState,
): Promise<Date | undefined> {
  const span = await getJson(deps.workspace, spanSchema, workspaceKeys.phase(runId, state));
  return span === undefined ? undefined : new Date(span.to);
}

/** Milliseconds by state, of those that have ended; `DumpUnit`, `VerifyUnit` and `ReplicateUnit` are the wall time of their Maps. */
export async function readPhases(
  deps: Pick<Deps, 'workspace'>,
  runId: string,
): Promise<Record<string, number>> {
  const spans = new Map<string, Span>();
  for (const state of spanned) {
    const span = await getJson(deps.workspace, spanSchema, workspaceKeys.phase(runId, state));
    if (span !== undefined) spans.set(state, span);
  }
  const phases: Record<string, number> = {};
  const put = (state: StateName, from: string | undefined, to: string | undefined) => {
    if (from === undefined || to === undefined) return;
    phases[state] = Math.max(0, Date.parse(to) - Date.parse(from));
  };
  for (const [state, span] of spans) {
    if (state === 'ReleaseSnapshot') put('DumpUnit', spans.get('PlanUnits')?.to, span.from);
    if (state === 'Publish') put('VerifyUnit', spans.get('Seal')?.to, span.from);
    if (state === 'RecordReplica') put('ReplicateUnit', spans.get('Publish')?.to, span.from);
    put(state as SpannedState, span.from, span.to);
  }
  return phases;
}
