/** The list of a preflight for people: a mark, what was seen, and what to do. */
import type { PreflightItem } from '../../core/contract/restore.ts';
import { plural } from './format.ts';

const marks = { ok: 'ok     ', warning: 'WARNING', failed: 'FAILED ' } as const;

export const preflightLines = (items: readonly PreflightItem[]): string[] =>
  items.flatMap(({ check, verdict, message, hint }) => [
    `${marks[verdict]}  ${check}: ${message}`,
    ...(hint === undefined ? [] : [`         What to do: ${hint}`]),
  ]);

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
