/**
 * How a client of S3 for a vault has to be made: `new S3Client({ ...s3ClientSettings, region })`.
 *
 * Invariant: nothing waits for ever. A connection that is dead without saying so is given up, and the call is made again
 * by the SDK or, for a body that was half read, by the reader.
 */
import type { S3ClientConfig } from '@aws-sdk/client-s3';

/** Eight: a throttled prefix (S3 splits it within minutes) is outlasted; the whole takes a minute and a half at most. */
const maxAttempts = 8;
/** A TCP handshake takes 1 to 300 ms: this is ten times the slowest. */
const connectMs = 3_000;
/** S3 answers a part of 8 MiB within seconds. A reader that pauses longer is cut off, and goes on where it was. */
const idleMs = 30_000;

export const s3ClientSettings = {
  maxAttempts,
  retryMode: 'adaptive',
  // Checksums are given with each object (SHA-256, or CRC-32 of the whole), and what is read is compared with the manifest's SHA-256.
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
  requestHandler: { connectionTimeout: connectMs, socketTimeout: idleMs },
} as const satisfies S3ClientConfig;
