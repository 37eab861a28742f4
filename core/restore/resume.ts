/**
 * Is a request the one that an unfinished restore was given, and can that one be gone on with?
 *
 * Who asks, how fast it shall be (`options`) and what it is measured against make no other restore. The backup that the
 * choice means does, but for `latest`: which one was the newest when the restore began stays the one that is meant, until
 * it is old.
 */
import type { Deps } from '../contract/deps.ts';
import type { Choice, RestoreInput, RestoreRun } from '../contract/restore.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { firstRestoreFailure } from './abort-mark.ts';
import { findRestoreRun } from './restore-run.ts';

export function isSameRequest(
  run: Pick<RestoreRun, 'input' | 'backup'>,
  request: RestoreInput,
  target: { readonly backup: { readonly backupId: string } },
): boolean {
  const isSameBackup = run.backup.backupId === target.backup.backupId;
  return isSameBackup && requestText(run.input) === requestText(request);
}

/** Not after its preflight failed, nor when it was aborted: then it only waits to be taken back. */
export async function mayGoOn(deps: Pick<Deps, 'workspace'>, run: RestoreRun): Promise<boolean> {
  if (run.input.dryRun || run.preflight.some(({ verdict }) => verdict === 'failed')) return false;
  return (await firstRestoreFailure(deps.workspace, run.runId)) === undefined;
}

/** Who asks for "latest" a day later wants what is the newest then. */
const latestForMs = 24 * 3_600_000;

/**
 * The restore that this very request has begun and that came to no end, of whichever backup: for `latest` alone, since a
 * backup that has a name is found by the lease on its target.
 */
export async function findUnfinished(
  deps: Pick<Deps, 'workspace' | 'now'>,
  request: RestoreInput,
  server: { readonly host: string; readonly port: number },
): Promise<RestoreRun | undefined> {
  const { choice } = request;
  if (choice.backup !== 'latest' || request.dryRun) return undefined;
  const begun = new Set<string>();
  const ended = new Set<string>();
  for await (const key of deps.workspace.list(workspaceKeys.restores)) {
    const [, runId = '', file] = key.split('/');
    if (file === 'run.json') begun.add(runId);
    if (file === 'outcome.json') ended.add(runId);
  }
  const found: RestoreRun[] = [];
  for (const runId of [...begun].filter((id) => !ended.has(id))) {
    const run = await findRestoreRun(deps.workspace, runId);
    if (run === undefined || !isOn(run, server) || !isAskedAgain(run, request)) continue;
    const isOld = deps.now().getTime() - Date.parse(run.startedAt) > latestForMs;
    if (!isOld && (await mayGoOn(deps, run))) found.push(run);
  }
  return found.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1))[0];
}

const isOn = ({ server }: RestoreRun, { host, port }: { host: string; port: number }): boolean =>
  server.host === host && server.port === port;

/** A person who was shown another backup gets that one. */
function isAskedAgain(run: RestoreRun, request: RestoreInput): boolean {
  const { meant } = request.choice;
  if (meant !== undefined && meant !== run.backup.backupId) return false;
  const isSameChoice = canonical(asked(run.input.choice)) === canonical(asked(request.choice));
  return isSameChoice && requestText(run.input) === requestText(request);
}

const asked = ({ meant: _meant, ...choice }: Choice) => choice;

/** `choice` says which backup, which is compared by its id. */
function requestText(input: RestoreInput): string {
  const {
    requestedBy: _by,
    options: _options,
    objectives: _aims,
    choice: _choice,
    ...rest
  } = input;
  return canonical({ ...rest, AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: undefined });
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
