/** That the emulator does as AWS where `launch.py` mends it: without this the other cloud tests would prove less. */
import { readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectLegalHoldCommand,
  GetObjectRetentionCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect, inject, it } from 'vitest';
import { isOurs, onlyOurs } from './own-emulator.ts';
import { makeReplicatedBuckets } from './vault-buckets.ts';

const base64Of = (sum: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(sum);
  return bytes.toString('base64');
};

it('gives a replica the version id, tags, retention and legal hold of its original, also those set later', async () => {
  const { primary, replica } = await makeReplicatedBuckets();
  const of = { Bucket: primary.bucket, Key: 'a/k' };
  const until = new Date(Date.now() + 3_600_000);
  const { VersionId } = await primary.s3.send(
    new PutObjectCommand({
      ...of,
      Body: 'x',
      Tagging: 'tier=staged',
      ObjectLockMode: 'GOVERNANCE',
      ObjectLockRetainUntilDate: until,
    }),
  );
  const there = { Bucket: replica.bucket, Key: 'a/k', ...(VersionId ? { VersionId } : {}) };
  const copy = await replica.s3.send(new HeadObjectCommand(there));
  expect(copy).toMatchObject({ VersionId, ReplicationStatus: 'REPLICA' });
  expect(await retentionAt(there)).toEqual(until.getTime());
  expect(await tagsAt(there)).toEqual([{ Key: 'tier', Value: 'staged' }]);

  const later = new Date(until.getTime() + 3_600_000);
  const Tagging = { TagSet: [{ Key: 'tier', Value: 'daily' }] };
  await primary.s3.send(new PutObjectTaggingCommand({ ...of, Tagging }));
  const Retention = { Mode: 'GOVERNANCE' as const, RetainUntilDate: later };
  await primary.s3.send(new PutObjectRetentionCommand({ ...of, Retention }));
  await primary.s3.send(
    new PutObjectLegalHoldCommand({ ...of, LegalHold: { Status: 'ON' as const } }),
  );
  expect(await retentionAt(there)).toEqual(later.getTime());
  expect(await tagsAt(there)).toEqual([{ Key: 'tier', Value: 'daily' }]);
  const hold = await replica.s3.send(new GetObjectLegalHoldCommand(there));
  expect(hold.LegalHold?.Status).toBe('ON');

  async function retentionAt(at: typeof there) {
    const { Retention } = await replica.s3.send(new GetObjectRetentionCommand(at));
    return Retention?.RetainUntilDate?.getTime();
  }
  async function tagsAt(at: typeof there) {
    return (await replica.s3.send(new GetObjectTaggingCommand(at))).TagSet;
  }
});

it('compares a checksum of the whole with a multipart upload, and keeps what the upload was begun with', async () => {
  const { primary, replica } = await makeReplicatedBuckets();
  const of = { Bucket: primary.bucket, Key: 'large' };
  const { UploadId } = await primary.s3.send(
    new CreateMultipartUploadCommand({
      ...of,
      Tagging: 'tier=staged',
      ChecksumAlgorithm: 'CRC32',
      ChecksumType: 'FULL_OBJECT',
    }),
  );
  const Parts = await Promise.all(
    ['one', 'two'].map(async (Body, at) => {
      const part = { ...of, UploadId, PartNumber: at + 1, Body };
      const { ETag } = await primary.s3.send(
        new UploadPartCommand({ ...part, ChecksumAlgorithm: 'CRC32' }),
      );
      return { PartNumber: at + 1, ETag, ChecksumCRC32: base64Of(crc32(Body)) };
    }),
  );
  const complete = (sum: string) =>
    primary.s3.send(
      new CompleteMultipartUploadCommand({
        ...{ ...of, UploadId, MultipartUpload: { Parts } },
        ...{ ChecksumCRC32: sum, ChecksumType: 'FULL_OBJECT', IfNoneMatch: '*' },
      }),
    );
  await expect(complete(base64Of(crc32('onetwO')))).rejects.toThrow(
    expect.objectContaining({ name: 'BadDigest' }),
  );
  const { VersionId } = await complete(base64Of(crc32('onetwo')));
  for (const { s3, bucket } of [primary, replica]) {
    const at = { Bucket: bucket, Key: 'large', ...(VersionId ? { VersionId } : {}) };
    const head = await s3.send(new HeadObjectCommand({ ...at, ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({ VersionId, ContentLength: 6 });
    expect(head.ChecksumCRC32).toBe(base64Of(crc32('onetwo')));
    const { TagSet } = await s3.send(new GetObjectTaggingCommand(at));
    expect(TagSet).toEqual([{ Key: 'tier', Value: 'staged' }]);
  }
});

it.runIf(process.platform === 'linux' && isOurs)(
  `listens on the loopback only${onlyOurs('where it listens is not ours to say')}`,
  async () => {
    const port = Number(new URL(inject('cloud').endpoint).port)
      .toString(16)
      .toUpperCase();
    const listening = (await readFile('/proc/net/tcp', 'utf8'))
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(
        ([, local, , state]) => state === '0A' && local?.endsWith(`:${port.padStart(4, '0')}`),
      );
    expect(listening.map(([, local]) => local?.split(':')[0])).toEqual(['0100007F']);
  },
);
