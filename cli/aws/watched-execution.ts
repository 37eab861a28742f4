/**
 * One execution as it is followed: each look tells what has ended since the last one, and what runs now. A child execution
 * (the safety backup of a restore, the restore of a drill) is told within its parent, one level deep.
 *
 * Invariant: every state is told once, when it ends, however often it is looked at, and also when it ended before we came.
 */
import type { SFNClient } from '@aws-sdk/client-sfn';
import { type Execution, executionArnOf } from '../../aws/executions/execution-arn.ts';
import { type ExecutionEvent, eventsAfter, type StateType } from '../../aws/executions/history.ts';
import { type MapRun, readExecution, readMapRuns } from '../../aws/executions/read-execution.ts';
import type { MachineName } from '../../core/contract/names.ts';
import { scratchRunId } from '../../core/drill/drill-record.ts';
import { safetyRunId } from '../../core/run/clean-up/restore.ts';
import { formatDuration } from '../output/format.ts';

export interface Look {
  /** What has happened, a line each. */
  readonly lines: readonly string[];
  /** What runs now. */
  readonly now: readonly string[];
}

/** The state in which a child execution runs, and how that is called. */
const children: Partial<
  Record<MachineName, { state: string; machine: MachineName; nameOf: (parent: string) => string }>
> = {
  restore: { state: 'SafetyBackup', machine: 'backup', nameOf: safetyRunId },
  drill: { state: 'RestoreToScratch', machine: 'restore', nameOf: scratchRunId },
};

/** Work, and not the way to it. */
const toldTypes: ReadonlySet<StateType> = new Set(['Task', 'Map', 'Parallel']);
/** Comes again every minute. */
const toldOnce: ReadonlySet<string> = new Set(['WatchSnapshot']);

export class WatchedExecution {
  readonly #sfn: SFNClient;
  readonly #execution: Execution;
  readonly #arn: string;
  readonly #isChild: boolean;
  readonly #indent: string;
  #lastId = 0;
  readonly #open = new Map<string, { readonly type: StateType; readonly at: Date }>();
  /** By the id of an event: in which state it was. Chains of events lead back to the one that entered it. */
  readonly #stateOf = new Map<number, string>();
  readonly #stateOfMapRun = new Map<string, string>();
  readonly #mapStates: { readonly name: string; readonly at: Date }[] = [];
  #mapRuns = new Map<string, MapRun>();
  readonly #told = new Set<string>();
  #child: WatchedExecution | undefined;
  /** Not handed out yet: the look that found it has failed. */
  #pending: string[] = [];

  constructor(sfn: SFNClient, execution: Execution, isChild = false) {
    this.#sfn = sfn;
    this.#execution = execution;
    this.#arn = executionArnOf(execution);
    this.#isChild = isChild;
    this.#indent = isChild ? '    ' : '  ';
  }

  /** @throws AwsAccessDeniedError, AwsServiceError; what was read is told by the next look then */
  async look(): Promise<Look> {
    const events = await eventsAfter(this.#sfn, this.#arn, this.#lastId);
    const states = [...this.#open.values(), ...events.filter((event) => 'type' in event)];
    if (states.some(({ type }) => type === 'Map' || type === 'Parallel')) {
      const runs = await readMapRuns(this.#sfn, this.#arn, this.#mapRuns);
      this.#mapRuns = new Map(runs.map((run) => [run.arn, run]));
    }
    for (const event of events) {
      this.#pending.push(...(await this.#tell(event)));
      this.#lastId = event.id;
    }
    const child = await this.#lookAtChild();
    const lines = [...this.#pending, ...child.lines];
    this.#pending = [];
    return { lines, now: [...this.#running(), ...child.now] };
  }

  async #tell(event: ExecutionEvent): Promise<string[]> {
    const state = 'state' in event ? event.state : this.#stateOf.get(event.previous);
    if (state !== undefined) this.#stateOf.set(event.id, state);
    switch (event.kind) {
      case 'entered':
        if (toldTypes.has(event.type)) this.#open.set(event.state, event);
        if (event.type === 'Map' || event.type === 'Parallel') {
          this.#mapStates.push({ name: event.state, at: event.at });
        }
        return [];
      case 'map-run':
        if (state !== undefined) this.#stateOfMapRun.set(event.mapRunArn, state);
        return [];
      case 'failed':
        return [`${this.#indent}! ${state ?? this.#lastTask() ?? 'a step'}: ${event.error}`];
      case 'exited':
        return this.#tellEnd(event.state, event.at);
      case 'other':
        return [];
    }
  }

  async #tellEnd(state: string, at: Date): Promise<string[]> {
    const entered = this.#open.get(state);
    if (entered === undefined) return [];
    const lines =
      state === children[this.#execution.machine]?.state ? (await this.#lookAtChild()).lines : [];
    this.#open.delete(state);
    if (toldOnce.has(state) && this.#told.has(state)) return [...lines];
    this.#told.add(state);
    const took = formatDuration(at.getTime() - entered.at.getTime());
    const runs = entered.type === 'Task' ? [] : this.#mapRunsUntil(at);
    const own = runs.filter((run) => this.#nameOf(run) === state);
    // Of a Parallel whose branches have no history of their own (the emulator): those within it.
    const others = entered.type === 'Parallel' ? runs.filter((run) => !own.includes(run)) : [];
    for (const { arn } of [...own, ...others]) this.#told.add(arn);
    return [
      ...lines,
      ...others.map((run) => `${this.#indent}${this.#nameOf(run)}  ${unitsOf(run)}`),
      [`${this.#indent}${state}`, took, ...own.map(unitsOf)].join('  '),
    ];
  }

  /** That began before, and were not told yet. */
  #mapRunsUntil(at: Date): MapRun[] {
    return [...this.#mapRuns.values()].filter(
      ({ arn, startedAt }) => startedAt <= at && !this.#told.has(arn),
    );
  }

  #running(): string[] {
    const runs = [...this.#mapRuns.values()].filter(({ isOver }) => !isOver);
    const named = new Map(runs.map((run) => [this.#nameOf(run), run]));
    const states = [...this.#open]
      // What runs inside of a Parallel says more than its name.
      .filter(([name, { type }]) => type !== 'Parallel' && !named.has(name))
      .map(([name]) => name);
    const maps = [...named].map(([name, run]) => `${name} ${unitsOf(run)}`);
    const now = [...states, ...maps];
    return now.length > 0 ? now : [...this.#open.keys()];
  }

  /** By the event that tells of it, by its label, or as the last state that begins such runs. */
  #nameOf({ arn, startedAt }: MapRun): string {
    const [, label] = /:mapRun:[^/]+\/([A-Z][A-Za-z]+):/.exec(arn) ?? [];
    const before = this.#mapStates.findLast(({ at }) => at <= startedAt);
    return this.#stateOfMapRun.get(arn) ?? label ?? before?.name ?? 'Map';
  }

  #lastTask(): string | undefined {
    return [...this.#open].findLast(([, { type }]) => type === 'Task')?.[0];
  }

  /** While the state is open in which it runs. */
  async #lookAtChild(): Promise<Look> {
    const spec = children[this.#execution.machine];
    if (spec === undefined || this.#isChild || !this.#open.has(spec.state)) return nothing;
    if (this.#child === undefined) {
      const name = spec.nameOf(this.#execution.name);
      const execution = { ...this.#execution, machine: spec.machine, name };
      // It is started a moment after the state was entered; or never, when that failed.
      const started = await readExecution(this.#sfn, executionArnOf(execution));
      if (started === undefined) return nothing;
      this.#child = new WatchedExecution(this.#sfn, execution, true);
    }
    return this.#child.look();
  }
}

const nothing: Look = { lines: [], now: [] };

const unitsOf = ({ done, failed, total }: MapRun): string =>
  `units ${done}/${total}${failed === 0 ? '' : `, ${failed} failed`}`;
