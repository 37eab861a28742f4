/**
 * What a run may be called. Its id is the name of its execution, on AWS given by whoever starts it, a part of keys in the
 * workspace and of names of sessions; children have it with something added (`-scratch`, `-safety`).
 *
 * Invariant: refused before anything is taken: Step Functions would say it when the child is started.
 */
import { HoldfastError } from '../contract/errors.ts';
import type { MachineName } from '../contract/names.ts';

/** Of the 80 that the name of an execution may have. A drill has a restore, a restore a backup within it. */
const longest: Readonly<Record<MachineName, number>> = { drill: 64, restore: 72, backup: 80 };

/** @throws ConfigurationError that shows a right one */
export function requireRunId(machine: MachineName, runId: string): void {
  const most = longest[machine];
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(runId) && runId.length <= most) return;
  const right = runId
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, most)
    .replace(/[^A-Za-z0-9]+$/, '');
  throw new HoldfastError(
    'ConfigurationError',
    `The name of the ${machine} is ${JSON.stringify(runId)}; allowed are letters A to Z, digits, "-", "_" and ".", ${most} characters at most, a letter or digit first.`,
    { hint: `Start it under another name, such as ${right === '' ? `${machine}-1` : right}.` },
  );
}
