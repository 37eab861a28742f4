/** Memory and time of each function, with the arithmetic. */
import type { FunctionName } from '../../core/contract/functions.ts';

export interface Size {
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
}

/**
 * 1,769 MB are one whole vCPU. A dump's process peaks at 243 MB (resident, 64 MB units) and is bound by the CPU: less
 * memory would only make it slower at the same price, more than one vCPU it does not use (one stream in one process).
 */
const wholeCpu = 1_769;
/** A manifest of 10,000 units and objects is about 10 MB of JSON, 100 MB as objects, twice while it is copied. */
const wholeManifest = 1_024;
/**
 * Node with the AWS SDK and a session: 120 to 210 MB, seen on the emulator, which ends what goes above its size; the rest is
 * CPU share for cold starts and TLS (0.29 vCPU).
 */
const small = 512;

/**
 * As long as a Lambda may run: tasks hand back what is left after `taskSeconds` (840), or wait for locks and servers. Their
 * states wait a minute longer (960): for a cold start, and for Lambda to say itself that the time was over.
 */
const full = 900;
/** A handful of calls to S3, KMS and SSM, with their retries: seconds. */
const short = 300;

const size = (memoryMb: number, timeoutSeconds: number): Size => ({ memoryMb, timeoutSeconds });

export const functionSizes = {
  Plan: size(small, full),
  HoldSnapshot: size(small, full),
  // pg_dump as WebAssembly: 139 MB and a whole CPU for about a second per 2,000 tables.
  DumpSchema: size(wholeCpu, full),
  PlanUnits: size(wholeManifest, full),
  WatchSnapshot: size(small, full),
  DumpUnit: size(wholeCpu, full),
  ReleaseSnapshot: size(small, full),
  AbortDump: size(small, full),
  Seal: size(wholeManifest, full),
  VerifyUnit: size(wholeCpu, full),
  // 10,000 objects × (tags, retention, hold) at 100 calls a second: 300 s.
  Publish: size(wholeManifest, full),
  ReplicateUnit: size(wholeManifest, full),
  // Two older backups of 10,000 objects, whose holds have changed: five minutes.
  RecordReplica: size(wholeManifest, full),
  Report: size(wholeManifest, short),
  Fail: size(small, full),

  PlanRestore: size(wholeManifest, full),
  NoteSafetyBackup: size(small, short),
  CreateTarget: size(wholeManifest, full),
  LoadUnit: size(wholeCpu, full),
  FinishRows: size(wholeManifest, full),
  PlanBuilds: size(wholeManifest, full),
  Build: size(small, full),
  CompareUnit: size(wholeCpu, full),
  // The restored schema as text, by the same pg_dump.
  CompareSchema: size(wholeCpu, full),
  RunChecks: size(small, full),
  Cutover: size(wholeManifest, full),
  ReportRestore: size(wholeManifest, full),
  AbortRestore: size(small, short),
  FailRestore: size(small, full),

  PlanDrill: size(wholeManifest, full),
  ConcludeDrill: size(wholeManifest, full),

  Record: size(small, 60),
  Sentinel: size(wholeManifest, full),
  CleanUp: size(wholeManifest, full),
} as const satisfies Record<string, Size>;

export const sizeOf = (name: FunctionName): Size => functionSizes[name];
