/**
 * One worker process seen from the engine: calls go in, outputs and errors come out.
 *
 * Invariant: every call ends. When the process dies, for whatever reason, its calls end with WorkerLostError.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { Progress } from '../../core/contract/deps.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { StateName } from '../../core/contract/payloads.ts';
import { toError } from '../../core/run/failure.ts';
import type { FromWorker, ToWorker, WorkerInit } from './messages.ts';
import { workerEntry } from './worker-entry.ts';

/** Enough of stderr to see a stack; pg_dump's WebAssembly also writes harmless noise there. */
const keptStderr = 4_000;

interface Call {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #calls = new Map<number, Call>();
  readonly #ready: Promise<void>;
  readonly #exited: Promise<void>;
  #nextId = 1;
  #stderr = '';
  #isAlive = true;

  constructor(init: WorkerInit, onProgress: (event: Progress) => void) {
    this.#child = fork(workerEntry, [], {
      serialization: 'advanced',
      // Buffers outside of the heap count towards its limit, which starts low: with 64 MB V8 marks the heap a third as
      // often, which is a tenth of the dump's CPU time, and the resident set stays as it was.
      execArgv: ['--initial-old-space-size=64'],
      env: workerEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-keptStderr);
    });
    this.#ready = new Promise((resolve, reject) => {
      this.#calls.set(0, { resolve: () => resolve(), reject });
    });
    this.#ready.catch(() => undefined);
    this.#exited = new Promise((resolve) => {
      const onGone = (how: string) => {
        this.#isAlive = false;
        this.#endCalls(how);
        resolve();
      };
      this.#child.once('exit', (code, signal) => onGone(signal ?? `exit code ${code}`));
      this.#child.once('error', (error) => onGone(error.message));
    });
    this.#child.on('message', (message: FromWorker) => this.#receive(message, onProgress));
    this.#send({ kind: 'init', init });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** @throws what the handler threw; WorkerLostError when the process ends first */
  async call(state: StateName, input: unknown): Promise<unknown> {
    await this.#ready;
    const id = this.#nextId++;
    const output = new Promise<unknown>((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
    });
    if (this.#isAlive) this.#send({ kind: 'call', id, state, input });
    else this.#endCalls('it had ended already');
    return output;
  }

  /** Resolves when the process is gone. */
  async end(): Promise<void> {
    // SIGKILL and nothing softer: there is nothing in it to be saved, and a worker may be deep in WebAssembly.
    if (this.#isAlive) this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #send(message: ToWorker): void {
    // A channel that is closed means that the process has ended or will: `exit` ends its calls.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #receive(message: FromWorker, onProgress: (event: Progress) => void): void {
    if (message.kind === 'progress') {
      onProgress(message.event);
      return;
    }
    const id = 'id' in message ? message.id : 0;
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (message.kind === 'ready') call?.resolve(undefined);
    else if (message.kind === 'output') call?.resolve(message.output);
    else call?.reject(toError(message.failure));
  }

  #endCalls(how: string): void {
    const evidence = { pid: this.#child.pid, how, stderr: this.#stderr };
    for (const { reject } of this.#calls.values()) {
      reject(
        new HoldfastError('WorkerLostError', `Worker process ${this.#child.pid} died (${how}).`, {
          evidence,
        }),
      );
    }
    this.#calls.clear();
  }
}

/** The settings of the connection are in the init message, resolved: nothing may come from the environment as well. */
function workerEnvironment(): NodeJS.ProcessEnv {
  const isConnection = (name: string) => name.startsWith('PG') || name === 'DATABASE_URL';
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isConnection(name)));
}
