/** All handlers by the state they serve: for hosts that run many in one process. */
import type { StateName } from '../core/contract/payloads.ts';
import { makeHandler as abortDump } from './abort-dump.ts';
import { makeHandler as abortRestore } from './abort-restore.ts';
import { makeHandler as runBuild } from './build.ts';
import { makeHandler as compareSchema } from './compare-schema.ts';
import { makeHandler as compareUnit } from './compare-unit.ts';
import { makeHandler as concludeDrill } from './conclude-drill.ts';
import { makeHandler as createTarget } from './create-target.ts';
import { makeHandler as cutover } from './cutover.ts';
import { makeHandler as dumpSchema } from './dump-schema.ts';
import { makeHandler as dumpUnit } from './dump-unit.ts';
import { makeHandler as fail } from './fail.ts';
import { makeHandler as failRestore } from './fail-restore.ts';
import { makeHandler as finishRows } from './finish-rows.ts';
import type { MakeHandler } from './handle-state.ts';
import { makeHandler as holdSnapshot } from './hold-snapshot.ts';
import { makeHandler as loadUnit } from './load-unit.ts';
import { makeHandler as noteSafetyBackup } from './note-safety-backup.ts';
import { makeHandler as plan } from './plan.ts';
import { makeHandler as planBuilds } from './plan-builds.ts';
import { makeHandler as planDrill } from './plan-drill.ts';
import { makeHandler as planRestore } from './plan-restore.ts';
import { makeHandler as planUnits } from './plan-units.ts';
import { makeHandler as publish } from './publish.ts';
import { makeHandler as recordReplica } from './record-replica.ts';
import { makeHandler as releaseSnapshot } from './release-snapshot.ts';
import { makeHandler as replicateUnit } from './replicate-unit.ts';
import { makeHandler as report } from './report.ts';
import { makeHandler as reportRestore } from './report-restore.ts';
import { makeHandler as runChecks } from './run-checks.ts';
import { makeHandler as seal } from './seal.ts';
import { makeHandler as verifyUnit } from './verify-unit.ts';
import { makeHandler as watchSnapshot } from './watch-snapshot.ts';

export const handlers: { readonly [S in StateName]: MakeHandler<S> } = {
  Plan: plan,
  HoldSnapshot: holdSnapshot,
  DumpSchema: dumpSchema,
  PlanUnits: planUnits,
  WatchSnapshot: watchSnapshot,
  DumpUnit: dumpUnit,
  ReleaseSnapshot: releaseSnapshot,
  AbortDump: abortDump,
  Seal: seal,
  VerifyUnit: verifyUnit,
  Publish: publish,
  ReplicateUnit: replicateUnit,
  RecordReplica: recordReplica,
  Report: report,
  Fail: fail,
  PlanRestore: planRestore,
  NoteSafetyBackup: noteSafetyBackup,
  CreateTarget: createTarget,
  LoadUnit: loadUnit,
  FinishRows: finishRows,
  PlanBuilds: planBuilds,
  Build: runBuild,
  CompareUnit: compareUnit,
  CompareSchema: compareSchema,
  RunChecks: runChecks,
  Cutover: cutover,
  ReportRestore: reportRestore,
  AbortRestore: abortRestore,
  FailRestore: failRestore,
  PlanDrill: planDrill,
  ConcludeDrill: concludeDrill,
};
