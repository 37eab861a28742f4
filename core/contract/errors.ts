/**
 * The error catalogue: every error that an operation throws on purpose, by its stable name.
 *
 * `name` is public API: state machines catch by it, scripts match it, the runbook has it as a heading.
 * A new failure gets an entry first, among those of its subject (errors/); nothing else may be thrown across a module's
 * boundary on purpose.
 */
import { backupErrors } from './errors/backup.ts';
import { type ErrorEntry, entry } from './errors/entry.ts';
import { keyErrors } from './errors/keys.ts';
import { restoreErrors } from './errors/restore.ts';
import { serverErrors } from './errors/server.ts';
import { vaultErrors } from './errors/vault.ts';

export const errorCatalogue = {
  UsageError: entry('the command or its input is wrong', 'Run the command with --help.'),
  ConfigurationError: entry(
    'a setting has a value that is not allowed',
    'Correct the setting named in the message.',
  ),
  PatternMatchesNothingError: entry(
    'a --schema/--table pattern matches nothing',
    'Check the pattern: unquoted names fold to lower case, * and ? are wildcards, as in pg_dump.',
  ),
  ...serverErrors,
  ...backupErrors,
  ...vaultErrors,
  ...keyErrors,
  ...restoreErrors,

  InternalError: entry('Holdfast itself is wrong', 'Please report it with the stack trace.'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorName = keyof typeof errorCatalogue;

/** Values got and allowed, ids, sizes: what a person needs to act on. Never a secret. */
export type Evidence = Readonly<Record<string, unknown>>;

export interface ErrorDetails {
  readonly hint?: string;
  readonly evidence?: Evidence;
  readonly cause?: unknown;
}

/** The only error class that crosses a module's boundary on purpose; `name` tells which one it is. */
export class HoldfastError extends Error {
  override readonly name: ErrorName;
  readonly hint: string;
  readonly retryable: boolean;
  readonly evidence: Evidence;

  constructor(name: ErrorName, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = name;
    this.hint = details.hint ?? errorCatalogue[name].hint;
    this.retryable = errorCatalogue[name].retryable;
    this.evidence = details.evidence ?? {};
  }
}

export function isHoldfastError(error: unknown, ...names: ErrorName[]): error is HoldfastError {
  return (
    error instanceof HoldfastError &&
    (names.length === 0 || names.includes(error.name as ErrorName))
  );
}
