/** Options that several commands share, and the checks of their values: each option means the same everywhere. */
import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { envNames } from '../core/contract/env.ts';
import { HoldfastError } from '../core/contract/errors.ts';
import { type Filters, filtersSchema } from '../core/contract/filters.ts';
import type { EnvironmentOptions } from './environment-file.ts';

export interface CommonOptions {
  readonly json?: boolean;
}

export interface VaultOptions extends CommonOptions, EnvironmentOptions {
  readonly vault?: string;
  readonly key?: string;
  /** Of the bucket, where a vault can be one. */
  readonly region?: string;
  readonly workspace?: string;
}

export interface DatabaseOptions {
  readonly database?: string;
}

export interface FilterOptions {
  readonly schema?: string[];
  readonly excludeSchema?: string[];
  readonly table?: string[];
  readonly excludeTable?: string[];
  readonly excludeTableData?: string[];
  readonly schemaOnly?: boolean;
  readonly dataOnly?: boolean;
}

export const addJson = (command: Command): Command =>
  command.option('--json', 'print one JSON document on stdout, all else on stderr');

export const addVault = (command: Command): Command =>
  command.option('--vault <dir>', `folder of the vault (or ${envNames.vault})`);

/** For what only reads: there the vault can be a bucket. */
export const addVaultOrBucket = (command: Command): Command =>
  command
    .option(
      '--vault <place>',
      `folder of the vault, or s3://BUCKET (or ${envNames.vault}, or --env)`,
    )
    .option('--region <region>', 'of the bucket (default: S3 is asked)');

export const addWorkspace = (command: Command): Command =>
  command.option(
    '--workspace <bucket>',
    's3://… where the records of runs are (default: beside the vault, by its name)',
  );

export const addKey = (command: Command): Command =>
  command.option('--key <file>', `key file (or ${envNames.keyFile}; default: where init put it)`);

/** For what runs as an execution with --env. */
export const addDetach = (command: Command): Command =>
  command.option('--detach', 'with --env: start it, and do not wait for its end');

export const addDatabase = (command: Command): Command =>
  command.option(
    '--database <url>',
    `postgresql://user@host:port/name (or ${envNames.database}, or PG* variables)`,
  );

export const addJobs = (command: Command): Command =>
  command.option(
    '--jobs <n>',
    `how much to do at once (default: ${availableParallelism()}, the cores of this machine; with --env what the environment says)`,
    (text: string) => wholeNumber('--jobs', text, 1, 64),
  );

export const jobsOf = (options: { readonly jobs?: number }): number =>
  options.jobs ?? Math.min(availableParallelism(), 64);

const repeatable = (value: string, before: string[] | undefined): string[] => [
  ...(before ?? []),
  value,
];

export function addFilters(command: Command): Command {
  const patterns = [
    ['-n, --schema <pattern>', 'only these schemas'],
    ['-N, --exclude-schema <pattern>', 'not these schemas'],
    ['-t, --table <pattern>', 'only these tables'],
    ['-T, --exclude-table <pattern>', 'not these tables'],
    ['--exclude-table-data <pattern>', 'of these tables the definition without the rows'],
  ] as const;
  for (const [flags, description] of patterns) {
    command.option(flags, `${description} (pattern as in pg_dump; repeatable)`, repeatable);
  }
  return command
    .addOption(new Option('--schema-only', 'definitions without rows').conflicts('dataOnly'))
    .addOption(new Option('--data-only', 'rows without definitions').conflicts('schemaOnly'));
}

export function filtersOf(options: FilterOptions): Filters {
  return filtersSchema.parse({
    schemas: options.schema ?? [],
    excludeSchemas: options.excludeSchema ?? [],
    tables: options.table ?? [],
    excludeTables: options.excludeTable ?? [],
    excludeTableData: options.excludeTableData ?? [],
    sections: options.schemaOnly ? 'schema' : options.dataOnly ? 'data' : 'all',
  });
}

/** @throws UsageError */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new HoldfastError(
    'UsageError',
    `${option} ${JSON.stringify(text)} is not a whole number from ${least} to ${most}.`,
  );
}

/**
 * A moment given as `2026-11-21`, an ISO time, or how long ago: `90m`, `24h`, `7d`.
 * @throws UsageError
 */
export function pastMoment(option: string, text: string, now: Date): Date {
  const [, amount, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 };
  if (amount !== undefined && unit !== undefined) {
    return new Date(now.getTime() - Number(amount) * unitMs[unit as keyof typeof unitMs]);
  }
  const moment = new Date(/^\d{4}-\d{2}-\d{2}/.test(text) ? text : Number.NaN);
  if (!Number.isNaN(moment.getTime())) return moment;
  throw new HoldfastError('UsageError', `${option} ${JSON.stringify(text)} is not a time.`, {
    hint: `Write a date (2026-11-21), a time (2026-11-21T04:00:00Z) or how long ago (7d, 24h, 90m).`,
  });
}
