/**
 * Is what the API says what the template says? Every leaf of the template is looked at; what the API says beyond it
 * (defaults) is not.
 */
import { unknown } from './resolve.ts';

export interface Deviation {
  /** `Properties.LifecycleConfiguration.Rules.0.Status` */
  readonly path: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

export interface Findings {
  readonly deviations: Deviation[];
  /** Leaves that were looked at. */
  leaves: number;
  /** Paths whose expected value only CloudFormation knows. */
  readonly unknowns: string[];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function compare(
  expected: unknown,
  actual: unknown,
  path = '',
  findings: Findings = { deviations: [], leaves: 0, unknowns: [] },
): Findings {
  if (expected === unknown) {
    findings.unknowns.push(path);
    if (actual === undefined || actual === '')
      findings.deviations.push({ path, expected: 'any value', actual });
    return findings;
  }
  if (isObject(expected)) {
    const members = Object.entries(expected);
    if (members.length === 0 && !isObject(actual)) {
      findings.deviations.push({ path, expected, actual });
    }
    for (const [name, value] of members) {
      compare(value, isObject(actual) ? actual[name] : undefined, `${path}.${name}`, findings);
    }
    return findings;
  }
  if (Array.isArray(expected)) {
    const list = Array.isArray(actual) ? actual : [actual];
    // An API that says nothing has not said that there are none.
    if (expected.length !== list.length || actual === undefined) {
      findings.deviations.push({ path, expected, actual });
      return findings;
    }
    // Of lists the order means nothing to AWS (actions, tags, rules): each finds its like.
    const left = [...list];
    for (const [index, item] of expected.entries()) {
      const at = left.findIndex((other) => compare(item, other).deviations.length === 0);
      compare(item, at === -1 ? list[index] : left[at], `${path}.${index}`, findings);
      if (at !== -1) left.splice(at, 1);
    }
    return findings;
  }
  findings.leaves += 1;
  // An API says a list of one as its member, a number as text, and the other way round.
  const single = Array.isArray(actual) && actual.length === 1 ? actual[0] : actual;
  if (single === undefined || String(single) !== String(expected)) {
    findings.deviations.push({ path, expected, actual });
  }
  return findings;
}
