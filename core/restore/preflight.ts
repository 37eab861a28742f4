/**
 * Answers in one list, before anything is touched, whether a restore can work: backup, server, room, names, rights.
 *
 * Invariant: it never throws and changes nothing that stays; all that would fail is in the list at once, so that a
 * person mends everything in one go.
 */
import type { Deps } from '../contract/deps.ts';
import type { PreflightItem, RestoreInput, RestoreRun } from '../contract/restore.ts';
import { describeTarget } from '../postgres/connect.ts';
import type { ConnectionSettings } from '../postgres/connection.ts';
import { majorOf } from '../postgres/server-version.ts';
import { openSession, type Session } from '../postgres/session.ts';
import type { OpenedBackup } from '../verify/open-backup.ts';
import { preflightInto } from './into/preflight.ts';
import { backupEvidence, backupFound, backupWhole } from './preflight/backup.ts';
import {
  type BackupTarget,
  failureOf,
  ok,
  type PreflightCheck,
  runCheck,
  type ServerTarget,
} from './preflight/check.ts';
import { databaseExists, nameFree } from './preflight/databases.ts';
import { estimateOf } from './preflight/estimate.ts';
import { extensions } from './preflight/extensions.ts';
import { collations, encoding, locale } from './preflight/locale.ts';
import { type DatabaseNames, databaseNamesOf } from './preflight/names.ts';
import { commands, selection } from './preflight/request.ts';
import { rights } from './preflight/rights.ts';
import { ownership, roles, rolesOfTables } from './preflight/roles.ts';
import { safety } from './preflight/safety.ts';
import { freeConnections, serverVersion, serverWritable } from './preflight/server.ts';
import { diskSpace, timeNeeded } from './preflight/space.ts';
import { backgroundWorkers, connectedSessions, replication } from './preflight/swap.ts';

export interface Preflight extends DatabaseNames {
  readonly items: PreflightItem[];
  /** Version `unknown` and 0 when it could not be reached. */
  readonly server: RestoreRun['server'];
  readonly estimate: RestoreRun['estimate'];
}

const backupChecks: readonly PreflightCheck<BackupTarget>[] = [
  backupFound,
  backupWhole,
  backupEvidence,
  selection,
  commands,
];

/** In the order in which a restore would stumble over them. */
const serverChecks: readonly PreflightCheck<ServerTarget>[] = [
  serverVersion,
  serverWritable,
  rights,
  nameFree,
  databaseExists,
  safety,
  encoding,
  locale,
  collations,
  extensions,
  roles,
  rolesOfTables,
  ownership,
  connectedSessions,
  backgroundWorkers,
  replication,
  freeConnections,
];

/** @param runId of this restore: becomes a part of the name of the database that is put aside */
export async function runPreflight(
  deps: Deps,
  input: RestoreInput,
  { manifest }: Pick<OpenedBackup, 'manifest'>,
  runId: string,
): Promise<Preflight> {
  const names = databaseNamesOf(input, manifest, runId);
  const target: BackupTarget = { deps, input, manifest, names };
  const items: PreflightItem[] = [];
  for (const check of backupChecks) items.push(...(await runCheck(check, target)));
  const { server, found } = await lookAtServer(target);
  items.push(...found);
  for (const check of [diskSpace, timeNeeded]) items.push(...(await runCheck(check, target)));
  return { items: onceEach(items), server, estimate: estimateOrNothing(target), ...names };
}

/** Several checks stumble over one mistake, as a pattern that matches nothing: it is told by the first of them. */
const onceEach = (items: readonly PreflightItem[]): PreflightItem[] =>
  items.filter(
    ({ verdict, message }, at) =>
      verdict !== 'failed' || items.findIndex((one) => one.message === message) === at,
  );

/** A selection that means nothing is an item of the list already. */
function estimateOrNothing({ manifest, input }: BackupTarget): RestoreRun['estimate'] {
  try {
    return estimateOf(manifest, input);
  } catch {
    return { seconds: 0, rawBytes: 0, readBytes: 0 };
  }
}

/** In the database itself, when there is one and something of the backup is meant. */
async function lookInto(
  { deps, input, manifest }: BackupTarget,
  found: readonly PreflightItem[],
): Promise<PreflightItem[]> {
  const isThere = found.some(
    ({ check, verdict }) => check === databaseExists.check && verdict === 'ok',
  );
  if (!isThere) return [];
  return preflightInto(deps, input, manifest).catch((error: unknown) => [
    { check: 'into', ...failureOf(error) },
  ]);
}

async function lookAtServer(
  target: BackupTarget,
): Promise<{ server: RestoreRun['server']; found: PreflightItem[] }> {
  const { deps, input } = target;
  let settings: ConnectionSettings | undefined;
  let session: Session;
  try {
    settings = await deps.connectionOf(input.target);
    const applicationName = 'holdfast/preflight';
    session = await openSession(settings, { applicationName, purpose: 'control' });
  } catch (error) {
    const { host, port } = settings ?? { host: 'unknown', port: 0 };
    return {
      server: { host, port, version: 'unknown', versionNum: 0 },
      found: [{ check: 'server-reachable', ...failureOf(error) }],
    };
  }
  try {
    const { host, port } = session.settings;
    const versionNum = session.serverVersionNum;
    const version = `${majorOf(versionNum)}.${versionNum % 10_000}`;
    const reachable = ok(`${describeTarget(session.settings)} can be reached.`);
    const found: PreflightItem[] = [{ check: 'server-reachable', ...reachable }];
    for (const check of serverChecks) {
      found.push(...(await runCheck(check, { ...target, session })));
    }
    if (input.mode === 'into') found.push(...(await lookInto(target, found)));
    return { server: { host, port, version, versionNum }, found };
  } finally {
    await session.close();
  }
}
