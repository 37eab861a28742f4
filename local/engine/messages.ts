/** What the engine and its worker processes say to each other over IPC (structured clone; never by argv or environment). */
import type { Progress } from '../../core/contract/deps.ts';
import type { StateName } from '../../core/contract/payloads.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import type { Failure } from '../../core/run/failure.ts';

/** Settings with the password as it is now: functions do not go through IPC. */
export type SentConnection = Omit<ConnectionSettings, 'password'> & {
  readonly password: string | undefined;
};

export interface WorkerInit {
  readonly vaultDirectory: string;
  readonly keyFile: string;
  readonly connection: SentConnection;
}

export type ToWorker =
  | { readonly kind: 'init'; readonly init: WorkerInit }
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly state: StateName;
      readonly input: unknown;
    };

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'output'; readonly id: number; readonly output: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly failure: Failure }
  | { readonly kind: 'progress'; readonly event: Progress };
