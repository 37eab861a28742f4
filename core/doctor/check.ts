/**
 * What a check of the doctor is: it looks at one thing and says in a sentence what it saw.
 *
 * Invariant: a check changes nothing that stays, and one that cannot look is itself a finding, never an end of the rest.
 */
import { HoldfastError } from '../contract/errors.ts';

export type CheckStatus = 'ok' | 'warning' | 'problem';

export interface Finding {
  readonly status: CheckStatus;
  /** What was seen, with numbers and names. */
  readonly detail: string;
  /** What to do; null when all is well. */
  readonly hint: string | null;
}

export interface Check extends Finding {
  /** Stable, kebab-case. */
  readonly id: string;
  readonly title: string;
}

export interface CheckDefinition<Target> {
  readonly id: string;
  readonly title: string;
  look(target: Target): Promise<Finding>;
}

export const ok = (detail: string): Finding => ({ status: 'ok', detail, hint: null });
/** A backup works; something about it or its restore will be different from what one expects. */
export const warning = (detail: string, hint: string): Finding => ({
  status: 'warning',
  detail,
  hint,
});
/** A backup would fail, or could not be trusted or restored. */
export const problem = (detail: string, hint: string): Finding => ({
  status: 'problem',
  detail,
  hint,
});

export function failure(error: unknown): Finding {
  if (error instanceof HoldfastError) return problem(error.message, error.hint);
  return problem(
    `The check itself failed: ${error instanceof Error ? error.message : String(error)}`,
    'Please report it.',
  );
}

export async function runCheck<Target>(
  { id, title, look }: CheckDefinition<Target>,
  target: Target,
): Promise<Check> {
  const finding = await look(target).catch(failure);
  return { id, title, ...finding };
}

const namedAtMost = 10;

/** `a, b, c and 12 more`. */
export function listed(names: readonly string[]): string {
  const more = names.length - namedAtMost;
  return names.slice(0, namedAtMost).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;
