/** Where things are in a vault and in a workspace. Keys never change meaning once they are published. */
import type { MachineName } from '../contract/names.ts';

export const vaultKeys = {
  marker: 'vault.json',
  backup: (source: string, backupId: string) => `backups/${source}/${backupId}/`,
  manifest: (source: string, backupId: string) => `backups/${source}/${backupId}/manifest.json`,
  signature: (source: string, backupId: string) => `backups/${source}/${backupId}/manifest.sig`,
  schema: (source: string, backupId: string, section: string, random: string) =>
    `backups/${source}/${backupId}/schema/${section}.sql-${random}.hf`,
  data: (source: string, backupId: string, unit: number, part: number, random: string) =>
    `backups/${source}/${backupId}/data/${String(unit).padStart(5, '0')}-${part}-${random}.hf`,
  evidence: (source: string, backupId: string, time: Date, kind: string, random: string) =>
    `evidence/${source}/${backupId}/${preciseTime(time)}-${random}-${kind}.json`,
  evidenceOf: (source: string, backupId: string) => `evidence/${source}/${backupId}/`,
  catalogue: (source: string, instant: Date, backupId: string) =>
    `catalog/${source}/${reverseTime(instant)}-${backupId}.json`,
  catalogueOf: (source: string) => `catalog/${source}/`,
  catalogueRoot: 'catalog/',
} as const;

/** `loads` and `loaded`: units and what they read; `builds`; `comparisons` and `compared`: units and their findings. */
export type RestorePart = 'loads' | 'loaded' | 'builds' | 'built' | 'comparisons' | 'compared';

export const workspaceKeys = {
  run: (runId: string) => `runs/${runId}/run.json`,
  snapshot: (runId: string) => `runs/${runId}/snapshot.json`,
  inventory: (runId: string) => `runs/${runId}/inventory.json`,
  schema: (runId: string) => `runs/${runId}/schema.json`,
  unit: (runId: string, unit: number, part: number) =>
    `runs/${runId}/units/${String(unit).padStart(5, '0')}-${part}.json`,
  receipts: (runId: string) => `runs/${runId}/receipts/`,
  receipt: (runId: string, unit: number, part: number) =>
    `runs/${runId}/receipts/${String(unit).padStart(5, '0')}-${part}.json`,
  verdicts: (runId: string) => `runs/${runId}/verdicts/`,
  verdict: (runId: string, object: number) =>
    `runs/${runId}/verdicts/${String(object).padStart(5, '0')}.json`,
  /** As the replica has the objects: written by ReplicateUnit. */
  replicaVerdict: (runId: string, object: number) =>
    `runs/${runId}/replica/${String(object).padStart(5, '0')}.json`,
  /** What RecordReplica found. */
  replica: (runId: string) => `runs/${runId}/replica.json`,
  /** What Publish decided: the same at each attempt. */
  publication: (runId: string) => `runs/${runId}/publication.json`,
  /** How far a step of Publish over all objects has come. */
  publishSteps: (runId: string) => `runs/${runId}/publish/`,
  publishStep: (runId: string, step: string) => `runs/${runId}/publish/${step}.json`,
  /** The manifest as it will be signed, so that a second attempt of Seal signs the same bytes. */
  draft: (runId: string) => `runs/${runId}/manifest.json`,
  phase: (runId: string, state: string) => `runs/${runId}/phases/${state}.json`,
  /** Tables that go as binary COPY (core/dump/binary-marks.ts). */
  binaryMarks: (runId: string) => `runs/${runId}/binary/`,
  binaryMark: (runId: string, oid: number) => `runs/${runId}/binary/${oid}`,
  dumped: (runId: string) => `runs/${runId}/dumped`,
  aborted: (runId: string) => `runs/${runId}/aborted`,
  outcome: (runId: string) => `runs/${runId}/outcome.json`,
  runs: 'runs/',
  restores: 'restores/',
  restore: (runId: string) => `restores/${runId}/run.json`,
  /** Load units, builds, compare units; `kind` is one of these. */
  restorePart: (runId: string, kind: RestorePart, index: number) =>
    `restores/${runId}/${kind}/${String(index).padStart(5, '0')}.json`,
  restoreParts: (runId: string, kind: RestorePart) => `restores/${runId}/${kind}/`,
  /** Small facts written once: `safety`, `created`, `builds`, `comparison`, `checks`, `cutover` … */
  restoreFact: (runId: string, fact: string) => `restores/${runId}/facts/${fact}.json`,
  /** Those whose names begin so. */
  restoreFacts: (runId: string, beginning: string) => `restores/${runId}/facts/${beginning}`,
  restorePhase: (runId: string, part: string) => `restores/${runId}/phases/${part}.json`,
  restoreAborted: (runId: string) => `restores/${runId}/aborted`,
  /** Of CleanUp: what it could not do after a run, and is to try again. */
  unclean: (machine: MachineName, runId: string) =>
    `${machine === 'backup' ? 'runs' : 'restores'}/${runId}/unclean.json`,
  restoreOutcome: (runId: string) => `restores/${runId}/outcome.json`,
  restoreReport: (runId: string) => `restores/${runId}/report.json`,
  restorePage: (runId: string) => `restores/${runId}/report.html`,
  claim: (source: string, scheduledTime: string) =>
    `claims/${source}/${scheduledTime.replaceAll(':', '')}`,
  /** A source is no folder of claims: its name may be `drills`. */
  drillClaim: (target: string, source: string, scheduledTime: string) =>
    `claims/drills/${target}/${source}/${scheduledTime.replaceAll(':', '')}`,
  leases: 'leases/',
  restoreLeases: 'leases/restores/',
  lease: (source: string) => `leases/${source}.json`,
  /** `target`: what is restored into, as 64 hex digits (core/restore/target-lease.ts). */
  restoreLease: (target: string) => `leases/restores/${target}.json`,
} as const;

/** `20261121T042100Z`: sorts as the time does and has no colons. */
export function compactTime(time: Date): string {
  return `${time.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

/** The same with milliseconds: two records of one second keep their order. */
const preciseTime = (time: Date): string =>
  `${time.toISOString().slice(0, 23).replaceAll(/[-:.]/g, '')}Z`;

/** Milliseconds to the year 5138, 14 digits: ascending order of key is newest first. */
export function reverseTime(time: Date): string {
  return String(99_999_999_999_999 - time.getTime()).padStart(14, '0');
}

/** The time of what `reverseTime` wrote. */
export const timeOfReverse = (reversed: string): Date =>
  new Date(99_999_999_999_999 - Number(reversed));
