/**
 * The state LoadUnit: the segments of one unit, each once, whatever dies on the way.
 *
 * Invariant: an item's rows and its mark in the bookkeeping are committed together; the record `loaded/<unit>` is written
 * when all marks are on the disk of the target. An attempt that finds the record does nothing.
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import type { Manifest, Segment } from '../contract/manifest.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import { type LoadUnit, loadUnitSchema, type RestoreRun } from '../contract/restore.ts';
import { ProgressMeter } from '../dump/progress-meter.ts';
import type { Session } from '../postgres/session.ts';
import { taskSecondsOf } from '../run/task-time.ts';
import { unitLabel } from '../run/unit-label.ts';
import { getJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { manifestOf } from './definitions.ts';
import { duringRestore } from './during-restore.ts';
import { batchesOf, type LoadItem } from './load/load-batches.ts';
import { labelOfItem, loadItem, nameOfItem, segmentOf } from './load/load-item.ts';
import { makeDurable, openLoadSession } from './load/load-session.ts';
import { readLoaded, writeLoaded } from './load/loaded-record.ts';
import { readingTogether } from './load/neighbours.ts';
import { doneEarlier, onceEach } from './load/once-each.ts';
import { asTargetError } from './load/target-errors.ts';

/** Of `taskSeconds`: then no item is begun. The rest is for the commit and the record. */
const shareForItems = 0.9;
/** A connection that is lost is made again within the task; more often, the task is tried again as a whole. */
const connectionsAtMost = 3;

/**
 * @throws RunAbortedError, ConnectionLostError, TargetFullError, RowConflictError, RestoreStatementError, CopyFailedError,
 * ObjectNotFoundError, ObjectTruncatedError, ObjectDamagedError, DecryptionError …
 */
export async function loadUnit(
  deps: Deps,
  { runId, unit }: InputOf<'LoadUnit'>,
): Promise<OutputOf<'LoadUnit'>> {
  const startedMs = performance.now();
  const earlier = await readLoaded(deps, runId, unit);
  if (earlier !== undefined) {
    const { rows, readBytes } = earlier;
    return { of: 'loaded earlier', isDone: true, rows, readBytes };
  }
  return duringRestore(deps, runId, 'load', async (run, signal) => {
    const plan = await readPlan(deps, runId, unit);
    const manifest = await manifestOf(deps, run);
    const load = new UnitLoad(deps, run, manifest, plan, signal);
    const isDone = await load.run(startedMs);
    const { rows, rawBytes, readBytes } = load;
    if (isDone) await writeLoaded(deps, runId, { unit, rows, rawBytes, readBytes });
    const of = unitLabel(plan.items.map(({ table }) => nameOf(manifest, table)));
    return { of, isDone, rows, readBytes };
  });
}

function nameOf({ tables }: Manifest, index: number | null): string {
  const table = index === null ? undefined : tables[index];
  return table === undefined ? 'large objects' : `${table.schema}.${table.name}`;
}

async function readPlan(deps: Deps, runId: string, unit: number): Promise<LoadUnit> {
  const key = workspaceKeys.restorePart(runId, 'loads', unit);
  const plan = await getJson(deps.workspace, loadUnitSchema, key);
  if (plan !== undefined) return plan;
  throw new HoldfastError('InternalError', `Restore ${runId} has no load unit ${unit}.`);
}

class UnitLoad {
  rows = 0;
  rawBytes = 0;
  readBytes = 0;
  readonly #deps: Deps;
  readonly #run: RestoreRun;
  readonly #manifest: Manifest;
  readonly #unit: LoadUnit;
  readonly #signal: AbortSignal;
  #session: Session | undefined;
  #label = '';
  /** Plain bytes of the transaction that is open. */
  #openBytes = 0;

  constructor(
    deps: Deps,
    run: RestoreRun,
    manifest: Manifest,
    unit: LoadUnit,
    signal: AbortSignal,
  ) {
    this.#deps = deps;
    this.#run = run;
    this.#manifest = manifest;
    this.#unit = unit;
    this.#signal = signal;
  }

  /** @returns false when the time was over before the work */
  async run(startedMs: number): Promise<boolean> {
    const endMs =
      startedMs + taskSecondsOf(this.#deps, this.#run.input.options) * 1_000 * shareForItems;
    const { unit } = this.#unit;
    const meter = new ProgressMeter(
      unit,
      (event) => this.#deps.progress({ ...event, state: 'LoadUnit' }),
      () => this.#reading(),
    );
    const stop = () => this.#session?.destroy();
    this.#signal.addEventListener('abort', stop);
    try {
      const batches = batchesOf(await this.#withConnection((session) => this.#pending(session)));
      for (const [index, batch] of batches.entries()) {
        if (index > 0 && performance.now() > endMs) return false;
        await this.#withConnection((session) => this.#load(session, batch));
      }
      await this.#withConnection((session) => makeDurable(session, this.#run, unit));
      return true;
    } catch (error) {
      this.#signal.throwIfAborted();
      throw asTargetError(error, `Loading ${this.#label}`);
    } finally {
      this.#signal.removeEventListener('abort', stop);
      meter.stop();
      await this.#session?.close();
    }
  }

  #reading() {
    const { rows, rawBytes, readBytes } = this;
    return {
      table: this.#label,
      rows,
      rawBytes: rawBytes + this.#openBytes,
      storedBytes: readBytes,
    };
  }

  async #withConnection<T>(work: (session: Session) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      this.#signal.throwIfAborted();
      try {
        this.#session ??= await openLoadSession(
          this.#deps,
          this.#run,
          this.#manifest,
          this.#unit.unit,
        );
        return await work(this.#session);
      } catch (error) {
        this.#openBytes = 0;
        if (tries >= connectionsAtMost || !isHoldfastError(error, 'ConnectionLostError'))
          throw error;
        this.#session?.destroy();
        this.#session = undefined;
      }
    }
  }

  /** The items that no earlier attempt has done; those that are done are counted. */
  async #pending(session: Session): Promise<LoadItem[]> {
    const { items } = this.#unit;
    const done = await doneEarlier(session, this.#run, items.map(nameOfItem));
    for (const item of items) {
      const rows = done.get(nameOfItem(item));
      if (rows !== undefined) this.#count(segmentOf(this.#manifest, item), rows);
    }
    return items.filter((item) => !done.has(nameOfItem(item)));
  }

  #count({ rawBytes, storedBytes }: Segment, rows: number): void {
    this.rows += rows;
    this.rawBytes += rawBytes;
    this.readBytes += storedBytes;
  }

  async #load(session: Session, batch: readonly LoadItem[]): Promise<void> {
    const segments = batch.map((item) => segmentOf(this.#manifest, item));
    const context = {
      deps: batch.length > 1 ? readingTogether(this.#deps, this.#manifest, segments) : this.#deps,
      run: this.#run,
      manifest: this.#manifest,
      onSent: (bytes: number) => {
        this.#openBytes += bytes;
      },
    };
    const byName = new Map(batch.map((item) => [nameOfItem(item), item]));
    const done = await onceEach(session, this.#run, [...byName.keys()], async (name) => {
      const item = byName.get(name) as LoadItem;
      this.#label = labelOfItem(this.#manifest, item);
      return loadItem(session, context, item);
    });
    this.#openBytes = 0;
    for (const [index, name] of [...byName.keys()].entries()) {
      this.#count(segments[index] as Segment, done.get(name) ?? 0);
    }
  }
}
