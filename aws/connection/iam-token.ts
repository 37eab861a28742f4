/** A token of RDS: signed here, valid for 15 minutes, as password of one connection. No request is made for it. */
import type { RDSClient } from '@aws-sdk/client-rds';
import { Signer } from '@aws-sdk/rds-signer';
import { awsError } from '../aws-error.ts';

export interface TokenInput {
  readonly region: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** @param rds whose credentials sign @throws AwsAccessDeniedError when there are none */
export async function iamToken(
  rds: RDSClient,
  { region, host, port, user }: TokenInput,
): Promise<string> {
  const { credentials } = rds.config;
  try {
    const signer = new Signer({ region, hostname: host, port, username: user, credentials });
    return await signer.getAuthToken();
  } catch (error) {
    throw awsError(error, { action: 'rds-db:connect', what: `a token for ${user} on ${host}` });
  }
}
