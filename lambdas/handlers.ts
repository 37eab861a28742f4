/** All handlers by the state they serve: for hosts that run many in one process. */
import type { StateName } from '../core/contract/payloads.ts';
import { makeHandler as abortDump } from './abort-dump.ts';
import { makeHandler as dumpSchema } from './dump-schema.ts';
import { makeHandler as dumpUnit } from './dump-unit.ts';
import { makeHandler as fail } from './fail.ts';
import type { MakeHandler } from './handle-state.ts';
import { makeHandler as holdSnapshot } from './hold-snapshot.ts';
import { makeHandler as plan } from './plan.ts';
import { makeHandler as planUnits } from './plan-units.ts';
import { makeHandler as publish } from './publish.ts';
import { makeHandler as releaseSnapshot } from './release-snapshot.ts';
import { makeHandler as report } from './report.ts';
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
  Report: report,
  Fail: fail,
};
