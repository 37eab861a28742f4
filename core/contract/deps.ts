/** What core functions get from the edge: ports, clocks and the way to tell of progress. Nothing in core reaches further. */
import type { EvidenceInput } from '../evidence/record.ts';
import type { KeyRing } from '../keyring/key-ring.ts';
import type { ConnectionSettings } from '../postgres/connection.ts';
import type { Vault, Workspace } from '../vault/vault.ts';
import type { SourceParameter } from './environment.ts';
import type { Warning } from './manifest.ts';
import type { MetricName } from './metrics.ts';
import type { MachineName } from './names.ts';

export interface Progress {
  readonly state: string;
  readonly unit?: number;
  readonly table?: string;
  /** Deltas since the last event of this task: plain bytes read (or verified), rows, stored bytes. */
  readonly rawBytes?: number;
  readonly rows?: number;
  readonly storedBytes?: number;
  /** Totals, told once when they are known: what is expected in all. */
  readonly expectedBytes?: number;
  readonly message?: string;
}

/** How long a command of the user's may run. What ends it ends all that it has started. */
export interface CommandOptions {
  /** Milliseconds. */
  readonly timeoutMs?: number;
  /** When it is given the command is ended, and its exit code is that of its end. */
  readonly signal?: AbortSignal;
}

export interface Deps {
  readonly vault: Vault;
  readonly vaultId: string;
  readonly workspace: Workspace;
  readonly keyRing: KeyRing;
  /** How to reach a source by its name; a fresh token where it has tokens. */
  readonly connectionOf: (source: string) => Promise<ConnectionSettings>;
  /** Runs a shell command of the user's (checks, hooks); absent where there is no shell (Lambda). */
  readonly runCommand?: (
    command: string,
    environment: Readonly<Record<string, string>>,
    options?: CommandOptions,
  ) => Promise<{ readonly exitCode: number; readonly output: string }>;
  /** What the environment says of a source (filters, retention, options); absent on one machine, where the request says it. */
  readonly sourceOf?: (source: string) => Promise<SourceParameter>;
  /** What is known, from outside of the server, of a backup that begins at this time; absent where nothing is. */
  readonly sourceWarnings?: (source: string, at: Date) => Promise<readonly Warning[]>;
  /** The copy of the vault in another Region, opened with that Region's key. */
  readonly replica?: { readonly vault: Vault; readonly keyRing: KeyRing };
  /** Writes evidence in our name and gives its key, where this process itself may not sign. */
  readonly record?: (evidence: EvidenceInput) => Promise<string>;
  /** Absent: nobody counts. */
  readonly metric?: (
    name: MetricName,
    value: number,
    dimensions: Readonly<Record<string, string>>,
  ) => void;
  /** Names of all sources of the environment; absent on one machine, where the catalogue knows them. */
  readonly sourceNames?: () => Promise<readonly string[]>;
  /** Ends an execution that still runs; nothing happens when there is none. Absent where nothing outlives its parent. */
  readonly stopExecution?: (machine: MachineName, runId: string, cause: string) => Promise<void>;
  /** What was said by whoever stopped an execution. Absent where one is stopped by a signal. */
  readonly whyStopped?: (machine: MachineName, runId: string) => Promise<string | undefined>;
  /** Seconds that this call may take, where the function's own limit says so; see core/run/task-time.ts. */
  readonly taskSeconds?: number;
  readonly now: () => Date;
  readonly progress: (event: Progress) => void;
  readonly toolVersions: { readonly holdfast: string; readonly node: string };
}
