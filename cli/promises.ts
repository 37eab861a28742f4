/**
 * What `holdfast status` measures sources against: what the file of the environment promises, as the alarms of that
 * Region do, or the one time that a person names.
 */
import type { SourceStatus } from '../core/contract/functions.ts';
import {
  provenSecondsOf,
  replicationSeconds,
  rpoSecondsOf,
} from '../core/environment/objectives.ts';
import type { StatusOptions } from '../core/sentinel/source-status.ts';
import type { Deployment } from './aws/deployment.ts';

export interface Promised extends StatusOptions {
  /** The newest backup that a drill has restored is no older. Null: nothing is promised. */
  readonly provenSeconds: number | null;
}

export interface JudgedStatus extends SourceStatus {
  readonly provenSeconds: number | null;
  readonly isProvenInTime: boolean | null;
}

/** @param rpoSeconds as said on the command line: instead of what the environment promises */
export function promisedOf(
  name: string,
  deployment: Deployment | undefined,
  rpoSeconds: number | undefined,
): Promised {
  const source = deployment?.environment.sources.find((one) => one.name === name);
  // A vault keeps backups of sources that the environment has no more.
  if (deployment === undefined || source === undefined) {
    return { rpoSeconds: rpoSeconds ?? null, provenSeconds: null, hasReplica: false };
  }
  const { environment, isReplica } = deployment;
  const rpo = rpoSecondsOf(source);
  return {
    rpoSeconds:
      rpoSeconds ?? (rpo === undefined ? null : rpo + (isReplica ? replicationSeconds : 0)),
    // Drills are scheduled in the primary Region alone.
    provenSeconds: isReplica ? null : (provenSecondsOf(source) ?? null),
    hasReplica: !isReplica && environment.regions.replica !== undefined,
  };
}

export function judge(status: SourceStatus, { provenSeconds }: Promised): JudgedStatus {
  const age = status.provenAgeSeconds;
  const isProvenInTime = provenSeconds === null ? null : age !== null && age <= provenSeconds;
  return { ...status, provenSeconds, isProvenInTime };
}

export const isKept = ({ isWithinRpo, isProvenInTime, isReplicaBehind }: JudgedStatus): boolean =>
  isWithinRpo !== false && isProvenInTime !== false && isReplicaBehind !== true;
