/**
 * What is wrong with an input that a person has typed, so that the next try is right: the field, the value got, the values
 * allowed, and a whole input that works.
 */
import type { z } from 'zod';
import { maskSecrets } from '../mask-secrets.ts';
import { HoldfastError } from './errors.ts';

export type Machine = 'backup' | 'restore' | 'drill';

/** The least that each takes: shown as they are, and tested to be accepted. */
export const smallestInput = {
  backup: { source: 'shop' },
  restore: { target: 'shop', choice: { source: 'shop', backup: 'latest' } },
  drill: { target: 'scratch', choice: { source: 'shop' } },
} as const satisfies Record<Machine, unknown>;

const shownCharacters = 80;

/** @returns a ConfigurationError: not retryable, nothing was begun */
export function inputError(
  machine: Machine,
  error: { readonly issues: readonly Pick<z.core.$ZodIssue, 'path' | 'message'>[] },
  value: unknown,
): HoldfastError {
  const issues = error.issues.map(({ path, message }) => {
    const where = path.length === 0 ? 'the input' : path.join('.');
    return `${where}: got ${shown(path, value)}; ${message}`;
  });
  const example = JSON.stringify(smallestInput[machine]);
  return new HoldfastError(
    'ConfigurationError',
    `The input of ${machine} is not allowed. ${issues.join('. ')}. A right one: ${example}`,
    { hint: `Correct the input and start again: nothing was begun. ${example} works.` },
  );
}

function shown(path: readonly PropertyKey[], value: unknown): string {
  let at: unknown = value;
  for (const key of path) {
    if (at === null || typeof at !== 'object' || !Object.hasOwn(at, key)) return 'nothing';
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  const text = maskSecrets(JSON.stringify(at) ?? 'nothing');
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)} …` : text;
}
