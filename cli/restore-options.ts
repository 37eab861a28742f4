/** The options of a restore, and from them what is asked for: wrong ones are refused before a server is looked at. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { HoldfastError } from '../core/contract/errors.ts';
import { type OwnCheck, ownCheckSchema, type RestoreMode } from '../core/contract/restore.ts';
import type { RestoreRequest } from '../local/engine/run-restore.ts';
import { pastMoment, type VaultOptions } from './options.ts';
import { checkedSourceName } from './source-name.ts';
import { type TargetOptions, targetName } from './target.ts';
import { who } from './who.ts';

export interface RoleFlags {
  readonly createMissingRoles?: boolean;
  /** False by --no-owner, --no-privileges. */
  readonly owner: boolean;
  readonly privileges: boolean;
  readonly roleMap?: Record<string, string>;
}

export interface CheckFlags {
  readonly check?: OwnCheck[];
  readonly checkCommand?: OwnCheck[];
  readonly checks?: string;
}

export interface ObjectiveFlags {
  /** Seconds. */
  readonly rto?: number;
  readonly rpo?: number;
}

export interface ChoiceFlags {
  readonly source?: string;
  readonly at?: string;
  readonly label?: Record<string, string>;
}

export interface RestoreOptions
  extends VaultOptions,
    TargetOptions,
    RoleFlags,
    CheckFlags,
    ObjectiveFlags,
    ChoiceFlags {
  /** By an answer to a question; the argument otherwise. */
  readonly backup?: string;
  readonly name?: string;
  readonly mode: RestoreMode;
  readonly schema?: string[];
  readonly table?: string[];
  readonly where?: string;
  readonly onConflict?: 'error' | 'skip' | 'replace';
  readonly as?: string;
  readonly intoSchema?: string;
  readonly allowOrphans?: boolean;
  /** False by --no-safety-backup. */
  readonly safetyBackup: boolean;
  readonly disconnect?: boolean;
  readonly dryRun?: boolean;
  readonly beforeCutover?: string;
  readonly afterCutover?: string;
  readonly jobs?: number;
  readonly yes?: boolean;
  readonly detach?: boolean;
}

export const repeated = (value: string, before: string[] | undefined): string[] => [
  ...(before ?? []),
  value,
];

export const addRoleOptions = (command: Command): Command =>
  command
    .option('--create-missing-roles', 'create roles that the server lacks, as NOLOGIN')
    .option('--no-owner', 'everything belongs to the role that restores')
    .option('--no-privileges', 'leave GRANT and REVOKE out')
    .option('--role-map <from=to>', 'put another role in the place of one (repeatable)', addRole);

export const addCheckOptions = (command: Command): Command =>
  command
    .option(
      '--check <name=sql>',
      'a query that must give true, before the cutover (repeatable)',
      (text: string, before: OwnCheck[] | undefined) => [...(before ?? []), sqlCheck(text)],
    )
    .option(
      '--check-command <name=command>',
      'a command that must exit with 0; DATABASE_URL is the restored database (repeatable)',
      (text: string, before: OwnCheck[] | undefined) => [...(before ?? []), commandCheck(text)],
    )
    .option('--checks <file>', 'checks as JSON: [{"name", "sql", "expect"}, {"name", "command"}]');

export const addObjectives = (command: Command): Command =>
  command
    .option(
      '--rto <time>',
      'how long it may take: 4h, 90m, 30s (for the report; default on AWS: what the environment promises)',
      (text) => secondsOf('--rto', text),
    )
    .option(
      '--rpo <time>',
      'how old the backup may be: 24h, 7d (for the report; likewise)',
      (text) => secondsOf('--rpo', text),
    );

/** @throws UsageError */
export function secondsOf(option: string, text: string): number {
  const [, amount, unit] = /^(\d{1,6}(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  const unitSeconds = { s: 1, m: 60, h: 3_600, d: 86_400 };
  const seconds = Number(amount) * unitSeconds[unit as keyof typeof unitSeconds];
  if (seconds > 0) return seconds;
  throw new HoldfastError('UsageError', `${option} ${JSON.stringify(text)} is not a time.`, {
    hint: 'Write it as 30s, 90m, 4h or 7d.',
  });
}

/** The first `=` parts name and rest. @throws UsageError */
function pairOf(option: string, text: string, example: string): [string, string] {
  const at = text.indexOf('=');
  const [name, rest] = [text.slice(0, Math.max(at, 0)).trim(), text.slice(at + 1).trim()];
  if (name !== '' && rest !== '') return [name, rest];
  throw new HoldfastError('UsageError', `${option} ${JSON.stringify(text)} lacks a part.`, {
    hint: `Write it as ${option} ${example}.`,
  });
}

function addRole(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [from, to] = pairOf('--role-map', text, 'app_owner=admin');
  return { ...before, [from]: to };
}

function sqlCheck(text: string): OwnCheck {
  const [name, sql] = pairOf('--check', text, "'has orders=SELECT count(*) > 0 FROM orders'");
  return { name, sql, expect: 't' };
}

function commandCheck(text: string): OwnCheck {
  const [name, command] = pairOf('--check-command', text, "'smoke test=npm run smoke'");
  return { name, command };
}

/** All of `--check`, `--check-command` and `--checks FILE`, in this order. @throws UsageError */
export async function checksOf(flags: CheckFlags): Promise<OwnCheck[]> {
  const fromFile = flags.checks === undefined ? [] : await readChecks(flags.checks);
  const checks = [...(flags.check ?? []), ...(flags.checkCommand ?? []), ...fromFile];
  const names = checks.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return checks;
  throw new HoldfastError('UsageError', `Two checks are called ${JSON.stringify(twice)}.`, {
    hint: 'Give each a name of its own: results are told by it.',
  });
}

async function readChecks(file: string): Promise<OwnCheck[]> {
  const wrong = (why: string, cause?: unknown) =>
    new HoldfastError('UsageError', `--checks ${JSON.stringify(file)} ${why}`, {
      hint: 'It is a JSON list: [{"name": "…", "sql": "…", "expect": "t"}, {"name": "…", "command": "…"}].',
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw wrong(code === undefined ? 'is no JSON.' : `cannot be read (${code}).`, error);
  }
  const parsed = z.array(ownCheckSchema).safeParse(value);
  if (parsed.success) return parsed.data;
  throw wrong(`has something else than checks:\n${z.prettifyError(parsed.error)}`);
}

/** What is the same for every restore and drill: which backup. */
export const choiceOf = (backup: string | undefined, flags: ChoiceFlags) => ({
  ...(flags.source === undefined ? {} : { source: checkedSourceName(flags.source) }),
  backup: backup ?? 'latest',
  ...(flags.at === undefined ? {} : { at: pastMoment('--at', flags.at, new Date()).toISOString() }),
  labels: flags.label ?? {},
});

export const rolesOf = (flags: RoleFlags) => ({
  createMissing: flags.createMissingRoles === true,
  noOwner: !flags.owner,
  noPrivileges: !flags.privileges,
  map: flags.roleMap ?? {},
});

export const objectivesOf = ({ rto, rpo }: ObjectiveFlags) => ({
  ...(rto === undefined ? {} : { rtoSeconds: rto }),
  ...(rpo === undefined ? {} : { rpoSeconds: rpo }),
});

/** All but the database, which the target's URL may name. @throws UsageError */
export async function requestOf(
  backup: string | undefined,
  options: RestoreOptions,
): Promise<RestoreRequest> {
  refuseWrongMode(options);
  const { where, onConflict, as, intoSchema, beforeCutover, afterCutover } = options;
  return {
    target: targetName,
    choice: choiceOf(backup, options),
    mode: options.mode,
    selection: {
      schemas: options.schema ?? [],
      tables: options.table ?? [],
      ...(where === undefined ? {} : { where }),
      ...(onConflict === undefined ? {} : { onConflict }),
      ...(as === undefined ? {} : { as }),
      ...(intoSchema === undefined ? {} : { intoSchema }),
      allowOrphans: options.allowOrphans === true,
    },
    roles: rolesOf(options),
    safetyBackup: options.safetyBackup,
    disconnect: options.disconnect === true,
    dryRun: options.dryRun === true,
    checks: await checksOf(options),
    hooks: {
      ...(beforeCutover === undefined ? {} : { beforeCutover }),
      ...(afterCutover === undefined ? {} : { afterCutover }),
    },
    objectives: objectivesOf(options),
    requestedBy: who(),
  };
}

const intoOnly = {
  schema: '--schema',
  table: '--table',
  where: '--where',
  onConflict: '--on-conflict',
  as: '--as',
  intoSchema: '--into-schema',
  allowOrphans: '--allow-orphans',
} as const;

/** A word that would have no effect is a misunderstanding. */
function refuseWrongMode(options: RestoreOptions): void {
  const names = Object.keys(intoOnly) as (keyof typeof intoOnly)[];
  const partial = names.find((name) => options[name] !== undefined);
  if (options.mode !== 'into' && partial !== undefined) {
    throw new HoldfastError(
      'UsageError',
      `${intoOnly[partial]} is for single tables or schemas, and --mode ${options.mode} restores a whole database.`,
      { hint: 'Add --mode into, with a --target or --name of the database to write into.' },
    );
  }
  if (options.disconnect === true && options.mode !== 'swap') {
    throw new HoldfastError(
      'UsageError',
      `--disconnect ends the sessions of a database that is replaced; --mode ${options.mode} replaces none.`,
      { hint: 'Leave it out, or add --mode swap.' },
    );
  }
}
