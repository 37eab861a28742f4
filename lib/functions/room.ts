/**
 * Whether what a function may do fits into a role. IAM takes 10,240 characters of policies inside a role and ten managed
 * ones of 6,144 beside; the CDK makes managed ones of what is too much, one statement at a time.
 *
 * Invariant: what does not fit is told at synth with what to do, not by CloudFormation half-way through a deployment.
 */
import type { Environment } from '../../core/contract/environment.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { FunctionName } from '../../core/contract/functions.ts';
import type { Statement } from './statements.ts';

/** The CDK fills a role up to 10,000 characters, and a managed policy up to 6,000. */
const insideRole = 10_000;
const managed = { characters: 6_000, policies: 10 };
/** Of resources in a statement. With what is around them less than 2,000: three fill a managed policy, and less than one is left empty. */
const statementCharacters = 1_800;
/** What the function's log, traces and network need besides. */
const ofLambda = 1_500;
const room = insideRole + (managed.policies * managed.characters * 2) / 3 - ofLambda;

/** Statements that each fit into a policy: only lists of secrets and servers ever grow so long. */
export function inParts(statements: readonly Statement[]): Statement[] {
  return statements.flatMap((statement) =>
    chunks(statement.resources).map((resources) => ({ ...statement, resources })),
  );
}

function chunks(resources: readonly string[]): string[][] {
  const parts: string[][] = [];
  let left = 0;
  for (const resource of resources) {
    const size = resource.length + 3;
    if (left < size) {
      parts.push([]);
      left = statementCharacters;
    }
    parts.at(-1)?.push(resource);
    left -= size;
  }
  return parts;
}

/** @throws ConfigurationError, at synth, with how many sources and targets there are */
export function requireRoom(
  name: FunctionName,
  statements: readonly Statement[],
  { name: environment, sources, targets }: Environment,
): void {
  const characters = JSON.stringify(statements).length;
  if (characters <= room) return;
  throw new HoldfastError(
    'ConfigurationError',
    `environments/${environment}.json has ${sources.length} sources and ${targets.length} targets, whose secrets and servers make ` +
      `${characters} characters in the policies of ${name}; allowed are ${room} (IAM: a role and ten managed policies).`,
    {
      hint: 'Give secrets shorter names, or make two environments of it, each with a part of the sources and targets.',
    },
  );
}
