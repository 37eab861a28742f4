/**
 * What a drill says about the backup, signed and for good: `proven`, `damaged`, or nothing at all.
 *
 * Invariant: a drill that failed for a reason of its own (the target, a right, a check) leaves no record about the
 * backup; and one drill leaves one record, however often it is concluded.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import type { RestoreReport } from '../contract/restore.ts';
import { writeEvidence } from '../evidence/record.ts';
import { isDamage } from '../report/damage.ts';
import { readFact, writeFact } from '../restore/restore-run.ts';
import { storedManifestHash } from '../verify/verify-backup.ts';
import type { DrillRecord } from './drill-record.ts';

export const evidenceFactSchema = z.strictObject({
  kind: z.enum(['proven', 'damaged']),
  key: z.string(),
});
export type DrillEvidence = z.infer<typeof evidenceFactSchema>;

type EvidenceDeps = Pick<Deps, 'vault' | 'keyRing' | 'now' | 'workspace' | 'toolVersions'>;

const fact = 'evidence';
/** A schema that is wholly other would make a large record. */
const recordedDifferences = 100;

/** @returns the record in the vault; undefined when the drill says nothing about the backup */
export async function recordEvidence(
  deps: EvidenceDeps,
  record: DrillRecord,
  report: RestoreReport,
): Promise<DrillEvidence | undefined> {
  const earlier = await readFact(deps.workspace, record.runId, fact, evidenceFactSchema);
  if (earlier !== undefined) return earlier;
  const kind = kindOf(report);
  if (kind === undefined) return undefined;
  const { source, backupId, manifestSha256 } = record.backup;
  const key = await writeEvidence(deps, {
    kind,
    source,
    backupId,
    by: record.request.requestedBy,
    manifestSha256: manifestSha256 ?? (await storedManifestHash(deps, { source, backupId })),
    facts: {
      drill: record.runId,
      target: report.server,
      tools: { ...deps.toolVersions },
      ...(kind === 'proven' ? proofOf(report) : damageOf(report)),
    },
  });
  return writeFact(deps.workspace, record.runId, fact, evidenceFactSchema, { kind, key });
}

function kindOf({ state, error }: RestoreReport): DrillEvidence['kind'] | undefined {
  if (state === 'succeeded') return 'proven';
  return error !== null && isDamage(error.name) ? 'damaged' : undefined;
}

const proofOf = (report: RestoreReport) => ({
  verdict: report.verdict,
  rtoMs: report.rtoMs,
  rpoMs: report.rpoMs,
  objectives: report.objectives,
  tables: report.tables,
  rows: report.rows,
  readBytes: report.readBytes,
  comparedTables: report.comparedTables.length,
  checksPassed: report.checks.length,
  notRestored: report.differences
    .filter(({ kind }) => kind === 'not-restored')
    .map(({ object }) => object),
  phases: splitOf(report),
});

/** Milliseconds: until the rows are in, until they can be used fast, until they are known to be right. */
export function splitOf({ phases }: Pick<RestoreReport, 'phases'>) {
  const of = (...parts: string[]) => parts.reduce((sum, part) => sum + (phases[part] ?? 0), 0);
  return {
    downloadAndLoad: of('create', 'load'),
    index: of('build'),
    verify: of('compare', 'checks'),
  };
}

const damageOf = ({ verdict, error, differences }: RestoreReport) => ({
  verdict,
  error: error?.name,
  message: error?.message,
  differenceCount: differences.length,
  differences: differences
    .slice(0, recordedDifferences)
    .map(({ kind, object }) => ({ kind, object })),
});
