/**
 * Adds up progress events: which phase, how much of it, how fast, how long still.
 *
 * Invariant: the phase never goes back (watching and dumping run at the same time and tell of themselves in turn).
 */
import type { Progress } from '../../core/contract/deps.ts';

/** In the order of the state machine; the words are for people. */
const phases: ReadonlyMap<string, string> = new Map([
  ['PlanDrill', 'planning the drill'],
  ['PlanRestore', 'looking at backup and target'],
  // Of a backup, or of the safety backup within a restore.
  ['Plan', 'looking at the server'],
  ['HoldSnapshot', 'taking the snapshot'],
  ['DumpSchema', 'dumping the schema'],
  ['PlanUnits', 'planning the work'],
  ['DumpUnit', 'dumping rows'],
  ['ReleaseSnapshot', 'releasing the snapshot'],
  ['Seal', 'sealing'],
  ['VerifyUnit', 'verifying'],
  ['Publish', 'publishing'],
  ['Report', 'reporting'],
  ['NoteSafetyBackup', 'noting the safety backup'],
  ['CreateTarget', 'making the tables'],
  ['LoadUnit', 'loading rows'],
  ['FinishRows', 'setting sequences'],
  ['PlanBuilds', 'planning indexes'],
  ['Build', 'building indexes and constraints'],
  ['CompareUnit', 'comparing rows'],
  ['CompareSchema', 'comparing definitions'],
  ['RunChecks', 'running your checks'],
  ['Cutover', 'handing over'],
  ['ReportRestore', 'reporting'],
  ['FailRestore', 'leaving the target as it was'],
  ['ConcludeDrill', 'concluding the drill'],
]);
/** States whose messages are a detail of the line; all others' are worth a line of their own. */
export const tellsDetails: ReadonlySet<string> = new Set(['DumpSchema', 'CreateTarget', 'Build']);
const order = [...phases.keys()];

/** The rate is that of the last seconds: a mean since the start lags behind what a person sees. */
const rateWindowMs = 5_000;
/** Shorter than this, one event would make any rate at all. */
const leastRateMs = 500;

export interface Reading {
  readonly phase: string;
  readonly doneBytes: number;
  /** Absent when nobody said how much there is. */
  readonly fraction?: number;
  readonly bytesPerSecond?: number;
  readonly leftMs?: number;
  /** Table or section that was told of last. */
  readonly detail?: string;
}

export class ProgressMeter {
  #phase = -1;
  #detail: string | undefined;
  #beganAt = 0;
  #samples: { at: number; bytes: number }[] = [];
  readonly #done = new Map<string, number>();
  readonly #expected = new Map<string, number>();

  /** @returns whether another phase began */
  add(event: Progress, nowMs: number): boolean {
    const phase = order.indexOf(event.state);
    if (event.expectedBytes !== undefined) {
      // PlanUnits knows first what DumpUnit will read.
      this.#expected.set(
        event.state === 'PlanUnits' ? 'DumpUnit' : event.state,
        event.expectedBytes,
      );
    }
    // PlanRestore tells how much there is to load, long before the loading begins.
    if (event.state === 'LoadUnit' && event.expectedBytes !== undefined) return false;
    const bytes = event.rawBytes ?? event.storedBytes ?? 0;
    this.#done.set(event.state, (this.#done.get(event.state) ?? 0) + bytes);
    const isNew = phase > this.#phase;
    if (isNew) {
      this.#phase = phase;
      this.#detail = undefined;
      this.#beganAt = nowMs;
      this.#samples = [];
    }
    const detail = event.table ?? (tellsDetails.has(event.state) ? event.message : undefined);
    if (phase === this.#phase && detail !== undefined) this.#detail = detail;
    return isNew;
  }

  /** `undefined` before the first phase. */
  read(nowMs: number): Reading | undefined {
    const state = order[this.#phase];
    if (state === undefined) return undefined;
    const doneBytes = this.#done.get(state) ?? 0;
    const bytesPerSecond = this.#rate(doneBytes, nowMs);
    const expected = this.#expectedOf(state);
    // What is expected is an estimate (size on disk, not as text): never "100 %" before the end.
    const fraction = expected ? Math.min(doneBytes / expected, 0.99) : undefined;
    const left = expected && bytesPerSecond ? (expected - doneBytes) / bytesPerSecond : undefined;
    return {
      phase: phases.get(state) ?? state,
      doneBytes,
      ...(fraction === undefined ? {} : { fraction }),
      ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
      ...(left === undefined || left <= 0 ? {} : { leftMs: left * 1000 }),
      ...(this.#detail === undefined ? {} : { detail: this.#detail }),
    };
  }

  /** Within a backup, what is verified is what was dumped; within a restore, what is compared is what was loaded. */
  #expectedOf(state: string): number | undefined {
    const before = { VerifyUnit: 'DumpUnit', CompareUnit: 'LoadUnit' }[state];
    return this.#expected.get(state) ?? (before === undefined ? undefined : this.#done.get(before));
  }

  #rate(doneBytes: number, nowMs: number): number | undefined {
    this.#samples.push({ at: nowMs, bytes: doneBytes });
    while ((this.#samples[1]?.at ?? nowMs) < nowMs - rateWindowMs) this.#samples.shift();
    const first = this.#samples[0];
    const since =
      first && nowMs - first.at >= leastRateMs ? first : { at: this.#beganAt, bytes: 0 };
    return nowMs - since.at >= leastRateMs && doneBytes > since.bytes
      ? ((doneBytes - since.bytes) / (nowMs - since.at)) * 1000
      : undefined;
  }
}
