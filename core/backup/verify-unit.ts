/** The state VerifyUnit: the verdict over one object of the sealed backup, left in the workspace for Publish. */
import type { Deps } from '../contract/deps.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import { underLease } from '../run/during-run.ts';
import { unitLabel } from '../run/unit-label.ts';
import { putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { segmentsOf } from '../verify/object-contents.ts';
import { loadManifest } from '../verify/open-backup.ts';
import { verifyObject } from '../verify/verify-object.ts';

/** @throws what opening the manifest throws; damage is no error */
export async function verifyUnit(
  deps: Deps,
  { runId, object }: InputOf<'VerifyUnit'>,
): Promise<OutputOf<'VerifyUnit'>> {
  return underLease(deps, runId, async (run) => {
    const { manifest } = await loadManifest(deps, run.input.source, run.backupId);
    const verdict = await verifyObject(deps, manifest, object);
    await putJson(deps.workspace, workspaceKeys.verdict(runId, object), verdict);
    if (verdict.verdict === 'damaged') {
      deps.metric?.('VerifyDamaged', 1, { source: run.input.source });
    }
    const of = unitLabel(segmentsOf(manifest, object).map(({ table }) => table));
    return { of, verdict: verdict.verdict, problems: verdict.problems.length };
  });
}
