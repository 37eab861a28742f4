/**
 * What a check of the preflight is: it looks at one thing before a restore touches anything, and says what it saw.
 *
 * Invariant: a check changes nothing that stays, and one that cannot look is itself a failed item, never an end of the
 * others.
 */
import type { Deps } from '../../contract/deps.ts';
import { HoldfastError } from '../../contract/errors.ts';
import type { Manifest } from '../../contract/manifest.ts';
import type { PreflightItem, RestoreInput, RestoreMode } from '../../contract/restore.ts';
import type { Session } from '../../postgres/session.ts';
import type { DatabaseNames } from './names.ts';

export interface BackupTarget {
  readonly deps: Deps;
  readonly input: RestoreInput;
  readonly manifest: Manifest;
  readonly names: DatabaseNames;
}

export interface ServerTarget extends BackupTarget {
  /** In the database that the connection itself names. */
  readonly session: Session;
}

export type Finding = Omit<PreflightItem, 'check'>;

export interface PreflightCheck<Target> {
  /** Stable, kebab-case. */
  readonly check: string;
  /** Asked only of restores in these modes; of all when absent. */
  readonly modes?: readonly RestoreMode[];
  look(target: Target): Promise<Finding | readonly Finding[]>;
}

export const ok = (message: string): Finding => ({ verdict: 'ok', message });
/** The restore works; something about it or its result will be different from what one expects. */
export const warning = (message: string, hint: string): Finding => ({
  verdict: 'warning',
  message,
  hint,
});
/** The restore would fail, or replace what nobody meant. */
export const failed = (message: string, hint: string): Finding => ({
  verdict: 'failed',
  message,
  hint,
});

export function failureOf(error: unknown): Finding {
  if (error instanceof HoldfastError) return failed(error.message, error.hint);
  const why = error instanceof Error ? error.message : String(error);
  return failed(`The check itself failed: ${why}`, 'Please report it.');
}

export async function runCheck<Target extends BackupTarget>(
  { check, modes, look }: PreflightCheck<Target>,
  target: Target,
): Promise<PreflightItem[]> {
  if (modes !== undefined && !modes.includes(target.input.mode)) return [];
  const findings = await look(target).catch(failureOf);
  return [findings].flat().map((finding) => ({ check, ...finding }));
}

/**
 * SQL condition on pg_stat_activity. Of others' sessions a role without pg_read_all_stats sees the user and the database
 * and no type; processes of the server's own have no user.
 */
export const isClient = (alias: string): string =>
  `coalesce(${alias}.backend_type, 'client backend') = 'client backend' AND ${alias}.usesysid IS NOT NULL`;
