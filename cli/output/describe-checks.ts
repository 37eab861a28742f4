/** What the doctor found, for people. */
import type { Check } from '../../core/doctor/check.ts';
import { plural, printable } from './format.ts';

const marks = { ok: 'ok     ', warning: 'WARNING', problem: 'PROBLEM' } as const;

export function describeChecks(checks: readonly Check[]): string {
  const lines = checks.flatMap(({ status, title, detail, hint }) => [
    `${marks[status]}  ${title}: ${printable(detail)}`,
    ...(hint === null ? [] : [`         What to do: ${printable(hint)}`]),
  ]);
  const count = (wanted: Check['status']) =>
    checks.filter(({ status }) => status === wanted).length;
  const [problems, warnings] = [count('problem'), count('warning')];
  const sum =
    problems + warnings === 0
      ? 'All is well.'
      : `${plural(problems, 'problem')}, ${plural(warnings, 'warning')}.`;
  return [...lines, '', sum].join('\n');
}
