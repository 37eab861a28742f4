/** What an environment says of its sources and targets, from the parameters that its stacks wrote. */
import { GetParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import type { ZodType } from 'zod';
import {
  type ConnectionReference,
  type SourceParameter,
  sourceParameterSchema,
  targetParameterSchema,
} from '../../core/contract/environment.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import { namesOf } from '../../core/contract/names.ts';
import { awsError } from '../aws-error.ts';

export interface Parameters {
  /** @throws ConnectionNotFoundError, ConfigurationError, AwsAccessDeniedError, AwsServiceError */
  source(name: string): Promise<SourceParameter>;
  /** Of a source or, where there is none of the name, of a target. @throws as `source` */
  reference(name: string): Promise<ConnectionReference>;
}

export function parametersOf(ssm: SSMClient, environment: string): Parameters {
  const names = namesOf(environment);
  const findSource = (name: string) =>
    find(ssm, names.sourceParameter(name), sourceParameterSchema);
  const findTarget = (name: string) =>
    find(ssm, names.targetParameter(name), targetParameterSchema);
  const notFound = (what: string, name: string) =>
    new HoldfastError(
      'ConnectionNotFoundError',
      `The environment ${environment} has no ${what} "${name}".`,
      { evidence: { environment, name } },
    );
  return {
    async source(name) {
      const source = await findSource(name);
      if (source === undefined) throw notFound('source', name);
      return source;
    },
    async reference(name) {
      const found = (await findSource(name)) ?? (await findTarget(name));
      if (found === undefined) throw notFound('source and no target', name);
      return found.connection;
    },
  };
}

/** @returns undefined when there is none of the name */
async function find<T>(ssm: SSMClient, name: string, schema: ZodType<T>): Promise<T | undefined> {
  let text: string;
  try {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: name }));
    text = Parameter?.Value ?? '';
  } catch (error) {
    if (error instanceof Error && error.name === 'ParameterNotFound') return undefined;
    throw awsError(error, { action: 'ssm:GetParameter', what: `the parameter ${name}` });
  }
  const wrong = (why: string) =>
    new HoldfastError('ConfigurationError', `The parameter ${name} is not allowed: ${why}.`, {
      hint: 'Deploy the environment again: its stacks write the parameter.',
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong('it is not JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw wrong(issues.join('; '));
}
