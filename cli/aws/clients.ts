/**
 * Clients of AWS with the credentials that AWS's own tools would use. Loaded with the first command that needs them: the
 * SDK costs half a second, which no local command should pay.
 */
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { s3ClientSettings } from '../../aws/vault/client-settings.ts';

/** A person waits: a service that cannot be reached is told after seconds, not minutes. */
const clientSettings = { maxAttempts: 4, requestHandler: { connectionTimeout: 5_000 } } as const;

/** An emulator has no host names of buckets. */
const isEmulated = (): boolean =>
  (process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'] ?? '') !== '';

export const s3Client = (region: string): S3Client =>
  new S3Client({
    ...s3ClientSettings,
    maxAttempts: clientSettings.maxAttempts,
    region,
    forcePathStyle: isEmulated(),
    // Only for the question where a bucket is: all else is asked where it is.
    followRegionRedirects: true,
  });

export const kmsClient = (region: string): KMSClient =>
  new KMSClient({ region, ...clientSettings });

/** Where to ask first when nothing names a Region: S3 answers everywhere where a bucket is. */
export const anyRegion = (): string =>
  process.env['AWS_REGION'] || process.env['AWS_DEFAULT_REGION'] || 'us-east-1';
