/** Settings of AWS clients for the emulator of this run: `new SFNClient(clientSettings())`. */
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { inject } from 'vitest';

/** The Regions of the tests, as in `environments/example.json`: where the vault is, and where its replica is. */
export const primaryRegion = 'eu-central-1';
export const replicaRegion = 'eu-west-1';

export interface ClientSettings {
  readonly region: string;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export function clientSettings(region: string = primaryRegion): ClientSettings {
  const { endpoint, env } = inject('cloud');
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = env;
  return { region, endpoint, credentials: { accessKeyId, secretAccessKey } };
}

/** Buckets by path: `bucket.127.0.0.1` is no host name. */
export const s3Settings = (region: string = primaryRegion): S3ClientConfig => ({
  ...clientSettings(region),
  forcePathStyle: true,
});
