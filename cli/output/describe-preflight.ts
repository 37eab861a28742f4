/** The list of a preflight for people: a mark, what was seen, and what to do. */
import { z } from 'zod';
import type { HoldfastError } from '../../core/contract/errors.ts';
import { type PreflightItem, preflightItemSchema } from '../../core/contract/restore.ts';
import { plural } from './format.ts';

const marks = { ok: 'ok     ', warning: 'WARNING', failed: 'FAILED ' } as const;

export const preflightLines = (items: readonly PreflightItem[]): string[] =>
  items.flatMap(({ check, verdict, message, hint }) => [
    `${marks[verdict]}  ${check}: ${message}`,
    ...(hint === undefined ? [] : [`         What to do: ${hint}`]),
  ]);

/** @returns undefined for another error, and for one that came without its list: 16,000 characters are carried at most */
export function preflightOf({ name, evidence }: HoldfastError): PreflightItem[] | undefined {
  if (name !== 'PreflightFailedError') return undefined;
  return z.array(preflightItemSchema.loose()).safeParse(evidence.items).data;
}

/** `1 failed, 2 warnings.` */
export function preflightSum(items: readonly PreflightItem[]): string {
  const count = (wanted: PreflightItem['verdict']) =>
    items.filter(({ verdict }) => verdict === wanted).length;
  const [failed, warnings] = [count('failed'), count('warning')];
  const parts = [
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(warnings === 0 ? [] : [plural(warnings, 'warning')]),
  ];
  return parts.length === 0 ? 'All is well.' : `${parts.join(', ')}.`;
}
