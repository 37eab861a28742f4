/** Clients for executions; loaded with the first command that needs them, as all of the SDK. */
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SFNClient } from '@aws-sdk/client-sfn';
import { requireCredentials } from './credentials.ts';

/** Throttling is waited out by the SDK; a person hears of a service that is away after some seconds. */
const settings = { maxAttempts: 5, requestHandler: { connectionTimeout: 5_000 } } as const;
/** CleanUp may work for as long as a function can, 15 min; asked once only, since it goes on without us. */
const cleanUpMs = 905_000;

/** @throws AwsAccessDeniedError when there are no credentials, or a login has run out */
export async function sfnClient(region: string): Promise<SFNClient> {
  const client = new SFNClient({ region, ...settings });
  await requireCredentials(client);
  return client;
}

export const lambdaClient = (region: string): LambdaClient =>
  new LambdaClient({
    region,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: cleanUpMs },
  });
