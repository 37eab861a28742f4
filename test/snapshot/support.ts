/** A run in a directory workspace, as Plan leaves it, and eyes on the server for the tests of the held snapshot. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deps, Progress } from '../../core/contract/deps.ts';
import { backupInputSchema, runSchema } from '../../core/contract/plan.ts';
import { applicationNamePrefixOf } from '../../core/postgres/application-name.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { openDirectoryWorkspace } from '../../local/vault/directory-workspace.ts';
import type { TestDatabase } from '../support/postgres.ts';

export interface SampleRun {
  readonly runId: string;
  readonly deps: Deps;
  readonly settings: ConnectionSettings;
  readonly messages: Progress[];
}

/** Holders that look every second whether anybody still works on the run. */
export const shortRounds = { options: { holdRoundSeconds: 1 } };

/** What the snapshot's functions take of Deps; the rest is not there, and using it would fail. */
export function snapshotDeps(
  folder: string,
  settings: ConnectionSettings,
  messages: Progress[],
): Deps {
  const deps: Partial<Deps> = {
    workspace: openDirectoryWorkspace(folder),
    connectionOf: async () => settings,
    now: () => new Date(),
    progress: (event) => void messages.push(event),
  };
  return deps as Deps;
}

export async function sampleRun(
  folder: string,
  settings: ConnectionSettings,
  input: { options?: object; filters?: object } = {},
): Promise<SampleRun> {
  const runId = `run-${randomBytes(4).toString('hex')}`;
  const messages: Progress[] = [];
  const deps = snapshotDeps(folder, settings, messages);
  const run = runSchema.parse({
    runId,
    backupId: `shop-20261121T042100Z-${runId}`,
    vaultId: 'v1',
    startedAt: new Date().toISOString(),
    input: backupInputSchema.parse({
      source: 'shop',
      requestedBy: { user: 'test', host: 'test' },
      filters: input.filters ?? {},
      // Longer than any test: holders stay, unless it says otherwise.
      options: { holdRoundSeconds: 60, lockSeconds: 30, ...input.options },
    }),
    server: {
      host: settings.host,
      port: settings.port,
      database: settings.database,
      version: '',
      versionNum: 180000,
    },
    warnings: [],
    fence: 1,
  });
  await putJson(deps.workspace, workspaceKeys.run(runId), run);
  return { runId, deps, settings, messages };
}

/** The sessions of a run, by what stands last in their names. */
export async function sessionsOf(
  database: TestDatabase,
  runId: string,
): Promise<{ pid: number; what: string }[]> {
  const prefix = applicationNamePrefixOf(runId);
  const rows = await database.query<{ pid: number; name: string }>(
    `SELECT pid, application_name AS name FROM pg_stat_activity
      WHERE starts_with(application_name, $1) ORDER BY application_name`,
    [prefix],
  );
  return rows.map(({ pid, name }) => ({ pid, what: name.slice(prefix.length) }));
}

export async function holdersOf(database: TestDatabase, runId: string): Promise<number> {
  return (await sessionsOf(database, runId)).filter(({ what }) => what.startsWith('holder-'))
    .length;
}

export async function waitUntil(
  what: string,
  condition: () => Promise<boolean>,
  timeoutMs = 45_000,
): Promise<void> {
  const until = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > until) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await sleep(50);
  }
}

/** Ends one session and waits until the server has forgotten it. */
export async function endSession(database: TestDatabase, pid: number): Promise<void> {
  await database.query('SELECT pg_terminate_backend($1, 30000)', [pid]);
}
