/** From what any AWS service reports to the catalogue; each caller names what "not there" is called in its case. */
import { type ErrorName, HoldfastError, isHoldfastError } from '../core/contract/errors.ts';
import { credentialsHint, type FailureKind, failureKind, said } from './service-failure.ts';

export interface AwsCall {
  /** As in a policy: `secretsmanager:GetSecretValue`. */
  readonly action: string;
  /** What it was asked for, in words: `the secret prod/shop`. */
  readonly what: string;
  /** Names of the service's errors that mean something of their own here. */
  readonly names?: Readonly<Record<string, ErrorName>>;
}

const byKind: Readonly<Record<FailureKind, ErrorName>> = {
  denied: 'AwsAccessDeniedError',
  throttled: 'AwsServiceError',
  unavailable: 'AwsServiceError',
  refused: 'ConfigurationError',
};

export function awsError(error: unknown, { action, what, names = {} }: AwsCall): HoldfastError {
  if (isHoldfastError(error)) return error;
  const name = error instanceof Error ? error.name : '';
  return new HoldfastError(
    names[name] ?? byKind[failureKind(error)],
    `${action} for ${what} failed: ${said(error)}.`,
    { cause: error, evidence: { action }, ...credentialsHint(error) },
  );
}
