/**
 * The pool of worker processes: one for what controls the run, and as many as the jobs need for units.
 *
 * Two lanes, so that the watch over the snapshot never waits behind a unit. Invariant: a process that died is replaced
 * at the next call, and `close` leaves none behind.
 */
import type { Progress } from '../../core/contract/deps.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { StateName } from '../../core/contract/payloads.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import type { WorkerInit } from './messages.ts';
import { WorkerProcess } from './worker-process.ts';

export interface PoolOptions {
  readonly vaultDirectory: string;
  readonly keyFile: string;
  readonly connection: ConnectionSettings;
  readonly jobs: number;
  readonly onProgress: (event: Progress) => void;
  /** A process that has not answered by then is ended. */
  readonly callTimeoutMs?: number;
}

/** As long as Lambda gives at most, nearly. The state itself is stopped at 960 s, after the process: so none is left over. */
const defaultCallTimeoutMs = 890_000;

/** Two at once fill the waits of each other in one process; more processes go beyond that (design §9). */
const unitsPerProcess = 2;

const unitStates: ReadonlySet<StateName> = new Set([
  'DumpUnit',
  'VerifyUnit',
  'LoadUnit',
  'Build',
  'CompareUnit',
]);

/** Node takes half a second to start: unit workers do so while these, which come before the units, are at work. */
const warmUpStates: ReadonlySet<StateName> = new Set(['DumpSchema', 'CreateTarget']);

interface Slot {
  worker: Promise<WorkerProcess> | undefined;
  calls: number;
}

export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #control: Slot[];
  readonly #units: Slot[];
  #isClosed = false;

  constructor(options: PoolOptions) {
    const newSlot = (): Slot => ({ worker: undefined, calls: 0 });
    this.#options = options;
    this.#control = [newSlot()];
    this.#units = Array.from({ length: Math.ceil(options.jobs / unitsPerProcess) }, newSlot);
  }

  /** Process ids of living unit workers, for tests and diagnosis. */
  unitPids(): Promise<number[]> {
    return pidsOf(this.#units);
  }

  /** Of all living workers, that of the control states too. */
  allPids(): Promise<number[]> {
    return pidsOf([...this.#control, ...this.#units]);
  }

  /** @throws what the handler throws; WorkerLostError, TaskTimedOutError */
  async call(state: StateName, input: unknown): Promise<unknown> {
    if (warmUpStates.has(state)) this.#warmUp(this.#units);
    const lane = unitStates.has(state) ? this.#units : this.#control;
    const slot = lane.reduce((least, next) => (next.calls < least.calls ? next : least));
    slot.calls += 1;
    try {
      const worker = await this.#workerOf(slot);
      const timeoutMs = this.#options.callTimeoutMs ?? defaultCallTimeoutMs;
      return await withTimeout(worker, state, timeoutMs, worker.call(state, input));
    } finally {
      slot.calls -= 1;
    }
  }

  /** Ends all processes and waits until they are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const workers = [...this.#control, ...this.#units].map(({ worker }) => worker);
    await Promise.all(workers.map(async (worker) => (await worker?.catch(() => undefined))?.end()));
  }

  async #workerOf(slot: Slot): Promise<WorkerProcess> {
    const pending = slot.worker;
    const current = await pending?.catch(() => undefined);
    if (this.#isClosed) {
      throw new HoldfastError('RunAbortedError', 'The run has ended; nothing more is begun.');
    }
    if (current?.isAlive) return current;
    // Whoever of those that waited comes first starts the new one; the others find it here.
    if (slot.worker === pending) slot.worker = this.#start();
    return slot.worker as Promise<WorkerProcess>;
  }

  /** All processes at once, before the first call: for runs whose first state is as short as the start of a process. */
  warmUp(): void {
    this.#warmUp([...this.#control, ...this.#units]);
  }

  #warmUp(slots: readonly Slot[]): void {
    for (const slot of slots) {
      // What goes wrong here goes wrong again at the first call, which is told of it.
      void this.#workerOf(slot).catch(() => undefined);
    }
  }

  async #start(): Promise<WorkerProcess> {
    const { vaultDirectory, keyFile, connection, onProgress } = this.#options;
    const { password, ...settings } = connection;
    const init: WorkerInit = {
      vaultDirectory,
      keyFile,
      connection: { ...settings, password: await password() },
    };
    const worker = new WorkerProcess(init, onProgress);
    if (this.#isClosed) await worker.end();
    return worker;
  }
}

async function pidsOf(slots: readonly Slot[]): Promise<number[]> {
  const started = slots.map(({ worker }) => worker?.catch(() => undefined));
  const workers = await Promise.all(started);
  return workers.flatMap((worker) => (worker?.isAlive && worker.pid ? [worker.pid] : []));
}

async function withTimeout<T>(
  worker: WorkerProcess,
  state: StateName,
  timeoutMs: number,
  work: Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const seconds = timeoutMs / 1000;
      reject(new HoldfastError('TaskTimedOutError', `${state} was not done after ${seconds} s.`));
      void worker.end();
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
