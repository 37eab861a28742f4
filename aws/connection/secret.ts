/**
 * A secret with the login of a database, in the format that RDS and its rotation functions write.
 *
 * Invariant: nothing of its content is in any message; a parser's error quotes its input, so it is not kept either.
 */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { HoldfastError } from '../../core/contract/errors.ts';
import { awsError } from '../aws-error.ts';

/** Docs: "JSON structure of AWS Secrets Manager secrets", Amazon RDS for PostgreSQL. */
export interface DatabaseSecret {
  readonly username: string;
  readonly password: string;
  /** The secrets that RDS itself manages have none of these. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly database: string | undefined;
}

/** @param id ARN or name @throws SecretNotFoundError, SecretInvalidError, AwsAccessDeniedError, AwsServiceError */
export async function readSecret(
  secrets: SecretsManagerClient,
  id: string,
): Promise<DatabaseSecret> {
  let text: string | undefined;
  try {
    ({ SecretString: text } = await secrets.send(new GetSecretValueCommand({ SecretId: id })));
  } catch (error) {
    throw awsError(error, {
      action: 'secretsmanager:GetSecretValue',
      what: `the secret ${id} in ${await secrets.config.region()}`,
      names: {
        ResourceNotFoundException: 'SecretNotFoundError',
        // Marked for deletion.
        InvalidRequestException: 'SecretNotFoundError',
        DecryptionFailure: 'AwsAccessDeniedError',
      },
    });
  }
  return parseSecret(text, id);
}

/** @throws SecretInvalidError */
export function parseSecret(text: string | undefined, id: string): DatabaseSecret {
  const wrong = (why: string) =>
    new HoldfastError('SecretInvalidError', `The secret ${id} ${why}.`, { evidence: { id } });
  const fields = jsonObject(text);
  if (fields === undefined) throw wrong('is not a JSON object');
  const textOf = (name: string): string | undefined => {
    const value = fields[name];
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value !== 'string') throw wrong(`has something that is not text as ${name}`);
    return value;
  };
  const engine = textOf('engine');
  if (engine !== undefined && !/^(aurora-)?postgres(ql)?$/.test(engine)) {
    throw wrong('is of an engine that is not PostgreSQL');
  }
  const username = textOf('username');
  const password = textOf('password');
  if (username === undefined) throw wrong('has no username');
  if (password === undefined) throw wrong('has no password');
  return {
    username,
    password,
    host: textOf('host'),
    port: portOf(fields['port'], wrong),
    database: textOf('dbname'),
  };
}

function jsonObject(text: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** RDS writes a number; people and CloudFormation write text. */
function portOf(value: unknown, wrong: (why: string) => HoldfastError): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const port = /^\d{1,5}$/.test(String(value)) ? Number(value) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw wrong('has a port that is not a whole number from 1 to 65535');
}
