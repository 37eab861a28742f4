/** Reads policies out of templates, and resolves in them what tests compare. */
import type { Resource } from './synthesize.ts';

export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Principal?: unknown;
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Of a bucket policy, a key, a replica key or a policy of IAM. */
export function statementsIn({ Properties }: Resource): PolicyStatement[] {
  const document = (Properties['PolicyDocument'] ?? Properties['KeyPolicy']) as {
    Statement: PolicyStatement[];
  };
  return document.Statement;
}

/** @throws Error when there is none of that name */
export function statement(resource: Resource, sid: string): PolicyStatement {
  const found = statementsIn(resource).find(({ Sid }) => Sid === sid);
  if (found === undefined) throw new Error(`There is no statement ${sid}.`);
  return found;
}

export const actionsOf = ({ Action }: PolicyStatement): readonly string[] =>
  typeof Action === 'string' ? [Action] : Action;

/** Names of the roles in a condition on aws:PrincipalArn, in alphabetical order. */
export function rolesIn({ Condition }: PolicyStatement, operator: string): string[] {
  const arns = Condition?.[operator]?.['aws:PrincipalArn'] ?? [];
  return [arns]
    .flat()
    .map((arn) => String(arn).replace(/^.*:role\//, ''))
    .sort();
}
