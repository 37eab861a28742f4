/**
 * A worker process: serves the handlers of the state machine, as a Lambda function does in the cloud.
 *
 * Invariant: it lives no longer than the process that started it: when the IPC channel closes it exits, whatever it is
 * doing. Signals to the whole terminal are the parent's to answer.
 */
import type { Deps } from '../../core/contract/deps.ts';
import { failureOf } from '../../core/run/failure.ts';
import { handlers } from '../../lambdas/handlers.ts';
import { openLocalDeps } from './local-deps.ts';
import type { FromWorker, ToWorker, WorkerInit } from './messages.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.once('disconnect', () => process.exit(1));

let deps: Deps | undefined;

process.on('message', (message: ToWorker) => {
  void (message.kind === 'init' ? start(message.init) : serve(message));
});

async function start(init: WorkerInit): Promise<void> {
  const { password, ...settings } = init.connection;
  try {
    const opened = await openLocalDeps({
      vaultDirectory: init.vaultDirectory,
      keyFile: init.keyFile,
      connection: { ...settings, password: async () => password },
      onProgress: (event) => send({ kind: 'progress', event }),
    });
    deps = opened.deps;
    send({ kind: 'ready' });
  } catch (error) {
    send({ kind: 'refused', failure: failureOf(error) });
  }
}

async function serve({ id, state, input }: Extract<ToWorker, { kind: 'call' }>): Promise<void> {
  try {
    if (deps === undefined) throw new Error(`${state} was called before the worker was ready.`);
    const output = await handlers[state](deps)(input);
    send({ kind: 'output', id, output });
  } catch (error) {
    send({ kind: 'error', id, failure: failureOf(error) });
  }
}

function send(message: FromWorker): void {
  // The callback takes the error of a channel that has closed meanwhile; `disconnect` then ends the process.
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
}
