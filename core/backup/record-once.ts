/** Evidence of a run's states, which may run twice: one record of each kind and manifest. */
import type { EvidenceKind } from '../contract/catalogue.ts';
import type { Deps } from '../contract/deps.ts';
import type { Run } from '../contract/plan.ts';
import { readAllEvidence, writeEvidence } from '../evidence/record.ts';

export async function recordOnce(
  deps: Deps,
  run: Run,
  manifestSha256: string,
  kind: EvidenceKind,
  facts: Record<string, unknown>,
): Promise<void> {
  const { source, requestedBy } = run.input;
  for await (const record of readAllEvidence(deps, source, run.backupId)) {
    if (record.kind === kind && record.manifestSha256 === manifestSha256) return;
  }
  const { backupId } = run;
  await writeEvidence(deps, { kind, source, backupId, by: requestedBy, manifestSha256, facts });
}
