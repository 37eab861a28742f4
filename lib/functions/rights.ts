/**
 * Who may do what: one line for each function, from what its code in core/ does and nothing more.
 *
 * Invariants: what dumps cannot read, tag otherwise or decrypt; what restores cannot write to the vault; only Seal and
 * Record sign; nobody deletes in the vault.
 */
import type { FunctionName } from '../../core/contract/functions.ts';
import { type Reach, type Right, rights, type Statement } from './statements.ts';

/** Those that log in to a source or a target. */
const toServer = ['parameters', 'connect'] as const;
/** The manifest, whose signature is checked each time. */
const manifest = ['readManifest', 'publicKey'] as const;
/** What a backup holds, in clear. */
const content = [...manifest, 'readBackup', 'unwrap'] as const;

export const functionRights = {
  Plan: ['runs', 'claims', ...toServer, 'readMarker', 'writeMarker'],
  HoldSnapshot: ['runs', ...toServer],
  DumpSchema: ['runs', ...toServer, 'putSchema', 'wrap'],
  PlanUnits: ['runs', 'dropRunParts', ...toServer, 'putSchema', 'wrap'],
  WatchSnapshot: ['runs', ...toServer],
  DumpUnit: ['runs', ...toServer, 'putData', 'wrap'],
  ReleaseSnapshot: ['runs', ...toServer],
  AbortDump: ['runs', ...toServer],
  Seal: ['runs', ...manifest, 'putManifest', 'sign'],
  VerifyUnit: ['runs', ...content],
  Publish: [
    // Looks at every object before it locks it; opens none.
    ...['runs', 'parameters', ...manifest, 'readBackup', 'retain', 'record'],
    ...['readCatalogue', 'writeCatalogue', 'readEvidence'],
  ],
  ReplicateUnit: ['runs', ...manifest, 'readBackup', 'readReplica', 'unwrapReplica', 'healReplica'],
  RecordReplica: [
    // Looks at tags and locks of whole backups, here and there; opens none.
    ...['runs', ...manifest, 'readBackup', 'readCatalogue', 'readEvidence'],
    ...['readReplica', 'healReplica', 'record'],
  ],
  Report: ['runs', ...manifest],
  Fail: ['runs', ...toServer, 'readCatalogue'],

  PlanRestore: [
    ...['restores', 'dropRestoreParts', ...toServer, ...content],
    ...['readCatalogue', 'readEvidence'],
  ],
  NoteSafetyBackup: ['restores', ...manifest],
  // Also writes down, encrypted, the constraints that it takes off.
  CreateTarget: ['restores', ...toServer, ...content, 'wrap'],
  LoadUnit: ['restores', ...toServer, ...content],
  FinishRows: ['restores', ...toServer, ...content],
  PlanBuilds: ['restores', ...toServer, ...content],
  Build: ['restores', ...toServer, ...content],
  CompareUnit: ['restores', ...toServer, ...manifest],
  CompareSchema: ['restores', ...toServer, ...content],
  RunChecks: ['restores', ...toServer],
  Cutover: ['restores', ...toServer, ...content],
  ReportRestore: ['restores', ...manifest],
  AbortRestore: ['restores'],
  FailRestore: ['restores', ...toServer, ...manifest],

  // Logs in to drop the scratch databases of drills that were killed.
  PlanDrill: ['restores', 'claims', ...toServer, ...manifest, 'headManifest', 'readCatalogue'],
  ConcludeDrill: ['restores', ...toServer, 'record'],

  Record: ['writeEvidence', 'sign', 'publicKey'],
  Sentinel: ['parameters', 'sourceNames', ...manifest, 'readCatalogue', 'readEvidence'],
  // Concludes drills, whose restore may have found damage.
  CleanUp: [
    ...['runs', 'restores', ...toServer, ...manifest, 'readCatalogue', 'stopExecutions', 'record'],
  ],
} as const satisfies Record<string, readonly Right[]>;

/** What a function may do in a Region. */
export function statementsOf(name: FunctionName, reach: Reach): Statement[] {
  const own: readonly Right[] = functionRights[name];
  return [...new Set(own)].flatMap((right) => rights[right](reach));
}

/** Only these need a way to a database, and so a place in its network. */
export function connects(name: FunctionName): boolean {
  const own: readonly Right[] = functionRights[name];
  return own.includes('connect');
}
