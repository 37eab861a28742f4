/**
 * When which part of a restore ran: from the first start of its states to the last end, in the workspace.
 *
 * Many tasks of a Map write the span of one part at once: each swaps it against what it has read.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { isHoldfastError } from '../contract/errors.ts';
import { decodeJson, encodeJson, getJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import type { Workspace } from '../vault/vault.ts';

/** In the order in which they come. */
export const restoreParts = [
  'preflight',
  'safetyBackup',
  'create',
  'load',
  'build',
  'compare',
  'checks',
  'cutover',
] as const;
export type RestorePhase = (typeof restoreParts)[number];

const spanSchema = z.strictObject({ from: z.iso.datetime(), to: z.iso.datetime() });
export type RestoreSpan = z.infer<typeof spanSchema>;

const swapTries = 20;

/** Widens the span of the part. */
export async function recordRestoreSpan(
  deps: Pick<Deps, 'workspace'>,
  runId: string,
  part: RestorePhase,
  span: { readonly from: Date; readonly to: Date },
): Promise<void> {
  const key = workspaceKeys.restorePhase(runId, part);
  for (let tries = 1; ; tries += 1) {
    const entry = await deps.workspace.get(key);
    const earlier = entry && decodeJson(spanSchema, entry.body, key);
    const [from, to] = [span.from.toISOString(), span.to.toISOString()];
    const wider: RestoreSpan = {
      from: earlier !== undefined && earlier.from < from ? earlier.from : from,
      to: earlier !== undefined && earlier.to > to ? earlier.to : to,
    };
    try {
      const condition = entry ? { ifMatch: entry.etag } : { ifNoneMatch: '*' as const };
      await deps.workspace.put(key, encodeJson(wider), condition);
      return;
    } catch (error) {
      const isRace = isHoldfastError(error, 'PreconditionFailedError');
      // A span is a figure of the report: rather a little too short than a restore that fails.
      if (isRace && tries >= swapTries) return;
      if (!isRace) throw error;
    }
  }
}

/** Of those parts that have begun and ended, in their order. */
export async function readRestoreSpans(
  workspace: Workspace,
  runId: string,
): Promise<Map<RestorePhase, RestoreSpan>> {
  const spans = new Map<RestorePhase, RestoreSpan>();
  for (const part of restoreParts) {
    const key = workspaceKeys.restorePhase(runId, part);
    const span = await getJson(workspace, spanSchema, key);
    if (span !== undefined) spans.set(part, span);
  }
  return spans;
}
