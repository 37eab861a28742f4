/**
 * What the target refuses of a backup and a restore can do without: publications of all tables, event triggers,
 * subscriptions. It is a matter of the role or the server, and says nothing about the backup.
 *
 * Invariants: a refusal is written down before the transaction in which it happened is committed, so that the comparison
 * knows what has to be missing; statements, which may hold a password, are in no fact.
 */
import { z } from 'zod';
import type { Warning } from '../../contract/manifest.ts';
import type { Build, RestoreRun } from '../../contract/restore.ts';
import { sqlstateOf } from '../../postgres/connect-errors.ts';
import { oneLine } from '../../schema/sql-text.ts';
import { getAllJson } from '../../vault/json.ts';
import { workspaceKeys } from '../../vault/keys.ts';
import type { Workspace } from '../../vault/vault.ts';
import { writeFact } from '../restore-run.ts';
import { serverMessage } from './statement-error.ts';

const refusedSchema = z.strictObject({
  /** `PUBLICATION everything` */
  label: z.string(),
  /** `CREATE PUBLICATION` */
  command: z.string(),
  /** In the server's words. */
  reason: z.string(),
  /** Of something that is not there because it was refused itself: its comment. */
  isConsequence: z.boolean(),
});
export type Refused = z.infer<typeof refusedSchema>;

const optional = /^(?:CREATE|ALTER|COMMENT ON) (?:EVENT TRIGGER|PUBLICATION|SUBSCRIPTION)(?= )/;
/** No right; a server that is built without it; a subscription without a password, which a superuser may have. */
const refusals = new Set(['42501', '0A000', '2F003']);
/** It is not there: of the statements that follow one that was refused. */
const consequence = '42704';

/** `CREATE PUBLICATION`; undefined for a statement that a restore cannot do without. */
export const optionalCommand = (sql: string): string | undefined => optional.exec(sql)?.[0];

/** @returns undefined for an error that is no refusal */
export function refusalOf(error: unknown, label: string, command: string): Refused | undefined {
  const sqlstate = sqlstateOf(error) ?? '';
  const isConsequence = sqlstate === consequence;
  if (!isConsequence && !refusals.has(sqlstate)) return undefined;
  return { label, command, reason: serverMessage(error), isConsequence };
}

export const refusedWarning = ({ label, command, reason }: Refused, sql: string): Warning => ({
  code: 'not-restored',
  message: `${label} could not be restored: ${reason}`,
  hint: `It needs a role with more rights on the target: restore as a superuser (on RDS: rds_superuser), or have one run later: ${
    command.endsWith('SUBSCRIPTION')
      ? `its ${command}, as it stands in the post-data of the backup; it may hold a password and is not shown`
      : oneLine(sql)
  }`,
});

const fact = (build: number | '') => `refused-build-${build}`;

export async function writeRefused(
  workspace: Workspace,
  { runId }: RestoreRun,
  { build }: Build,
  refused: readonly Refused[],
): Promise<void> {
  if (refused.length === 0) return;
  await writeFact(workspace, runId, fact(build), z.array(refusedSchema), [...refused]);
}

/** Of all builds. */
export const readRefused = async (workspace: Workspace, runId: string): Promise<Refused[]> =>
  (
    await getAllJson(workspace, z.array(refusedSchema), workspaceKeys.restoreFacts(runId, fact('')))
  ).flat();
