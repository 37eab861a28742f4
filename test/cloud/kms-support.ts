/** Keys of the emulator's KMS for the tests, and clients that count their requests. */
import {
  CreateKeyCommand,
  KMSClient,
  type KMSClientConfig,
  ReplicateKeyCommand,
} from '@aws-sdk/client-kms';
import { inject } from 'vitest';

export const primaryRegion = 'eu-central-1';
export const replicaRegion = 'eu-west-1';

export interface CountingClient {
  readonly kms: KMSClient;
  /** Requests so far, by operation: `GenerateDataKey`. */
  count(operation: string): number;
}

export function countingClient(
  region = primaryRegion,
  config: KMSClientConfig = {},
): CountingClient {
  const { env } = inject('cloud');
  const kms = new KMSClient({
    region,
    endpoint: env['AWS_ENDPOINT_URL'] ?? '',
    credentials: {
      accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
    ...config,
  });
  const sent: (string | undefined)[] = [];
  kms.middlewareStack.add(
    (next, context) => (args) => {
      sent.push(context['commandName'] as string | undefined);
      return next(args);
    },
    // After the retries: what goes over the wire is counted.
    { step: 'finalizeRequest', name: 'count', priority: 'low' },
  );
  return { kms, count: (operation) => sent.filter((one) => one === `${operation}Command`).length };
}

export const kmsClient = (region = primaryRegion): KMSClient => countingClient(region).kms;

/** @returns the ARN of a new multi-Region key in the primary Region */
export async function newEncryptionKey(): Promise<string> {
  const { KeyMetadata } = await kmsClient().send(new CreateKeyCommand({ MultiRegion: true }));
  return KeyMetadata?.Arn as string;
}

export async function newSigningKey(): Promise<string> {
  const { KeyMetadata } = await kmsClient().send(
    new CreateKeyCommand({ MultiRegion: true, KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
  );
  return KeyMetadata?.Arn as string;
}

/** @returns the ARN of its twin in the replica Region */
export async function replicated(arn: string): Promise<string> {
  await kmsClient().send(new ReplicateKeyCommand({ KeyId: arn, ReplicaRegion: replicaRegion }));
  return arn.replace(primaryRegion, replicaRegion);
}
