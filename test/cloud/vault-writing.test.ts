/** What is peculiar to writing on S3: parts, checksums on the way, answers that are lost. */
import { createHash, randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import {
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { partBytes, partsInFlight } from '../../aws/vault/multipart-upload.ts';
import { openS3Vault } from '../../aws/vault/s3-vault.ts';
import { openS3Workspace } from '../../aws/vault/s3-workspace.ts';
import { makeVaultBucket, makeWorkspaceBucket } from './vault-buckets.ts';
import { type Fault, faultyProxy, type Seen } from './vault-proxy.ts';

const mebibyte = 1 << 20;
const sha256 = (body: Uint8Array) => createHash('sha256').update(body).digest('hex');
const named = (name: string) => expect.objectContaining({ name });

async function makeVault() {
  const at = await makeVaultBucket();
  const uploads = async () => {
    const { Uploads = [] } = await at.s3.send(
      new ListMultipartUploadsCommand({ Bucket: at.bucket }),
    );
    return Uploads;
  };
  return { ...at, vault: openS3Vault({ ...at, lockMode: 'GOVERNANCE' }), uploads };
}

/** The vault of a bucket, through a network that does `fault` to what `isMeant`. */
async function faulty(bucket: string, isMeant: (seen: Seen) => boolean, fault: Fault) {
  const proxy = await faultyProxy((seen) => (isMeant(seen) ? fault : undefined));
  return { proxy, vault: openS3Vault({ s3: proxy.s3, bucket, lockMode: 'GOVERNANCE' }) };
}

const isPart = ({ method, url }: Seen) => method === 'PUT' && url.includes('partNumber=');
const isCompletion = ({ method, url }: Seen) => method === 'POST' && url.includes('uploadId=');
const first = (isMeant: (seen: Seen) => boolean) => {
  let hasBeen = false;
  return (seen: Seen) => {
    if (hasBeen || !isMeant(seen)) return false;
    hasBeen = true;
    return true;
  };
};

describe('an object of several parts', () => {
  it('is put together whole, with tags, version and a checksum over all of it', async () => {
    const { s3, bucket, vault, uploads } = await makeVault();
    const body = randomBytes(2 * partBytes(1) + 4_711);
    const writer = await vault.openWriter('large', { tags: { 'holdfast-tier': 'staged' } });
    for (let at = 0, step = 1; at < body.length; at += step, step = (step * 7) % 3_000_017) {
      await writer.write(body.subarray(at, at + step));
    }
    const ref = await writer.commit();
    expect(ref).toMatchObject({ storedBytes: body.length, sha256: sha256(body) });
    const head = await vault.head('large');
    expect(head).toMatchObject({
      ...{ versionId: ref.versionId, storedBytes: body.length },
      tags: { 'holdfast-tier': 'staged' },
    });
    expect(head.sha256).toBeUndefined();
    const known = await s3.send(
      new HeadObjectCommand({ Bucket: bucket, Key: 'large', ChecksumMode: 'ENABLED' }),
    );
    expect(Buffer.from(known.ChecksumCRC32 ?? '', 'base64').readUInt32BE()).toBe(crc32(body));
    const read = await buffer(await vault.openReader('large', { versionId: ref.versionId }));
    expect(sha256(read)).toBe(ref.sha256);
    expect(await uploads()).toEqual([]);
  });

  it('goes in one request when it is exactly one part, in two parts with one byte more', async () => {
    const { bucket } = await makeVault();
    const { proxy, vault } = await faulty(bucket, () => false, { cutAfter: 0 });
    await using _ = proxy;
    for (const more of [0, 1]) {
      const body = randomBytes(partBytes(1) + more);
      const ref = await vault.put(`k${more}`, body);
      expect(sha256(await vault.get(`k${more}`))).toBe(ref.sha256);
    }
    expect(proxy.seen.filter(isPart).map(({ url }) => url.split('?')[0])).toEqual([
      `/${bucket}/k1`,
      `/${bucket}/k1`,
    ]);
  });

  it('fits however large: parts double so that 10,000 of them hold 5 TiB', () => {
    let bytes = 0;
    for (let number = 1; number <= 10_000; number += 1) {
      expect(partBytes(number)).toBeLessThanOrEqual(5 * 1024 * mebibyte);
      bytes += partBytes(number);
    }
    expect(bytes).toBeGreaterThan(5 * 1024 * 1024 * mebibyte);
  });

  it('leaves neither an upload nor an object when it is aborted midway', async () => {
    const { vault, uploads } = await makeVault();
    const writer = await vault.openWriter('a/large');
    for (let i = 0; i < 20; i += 1) await writer.write(randomBytes(mebibyte));
    expect(await uploads()).toHaveLength(1);
    await writer.abort();
    expect(await uploads()).toEqual([]);
    await expect(vault.head('a/large')).rejects.toEqual(named('ObjectNotFoundError'));
    await expect(writer.write(randomBytes(1))).rejects.toEqual(named('InternalError'));
  });

  it('has one winner of two writers of the same key, and nothing is left of the other', async () => {
    const { vault, uploads } = await makeVault();
    const write = async (body: Buffer) => {
      const writer = await vault.openWriter('large');
      await writer.write(body);
      return writer.commit();
    };
    const bodies = [randomBytes(partBytes(1) + 1), randomBytes(partBytes(1) + 1)] as const;
    const results = await Promise.allSettled(bodies.map(write));
    const won = results.filter((result) => result.status === 'fulfilled');
    const lost = results.filter((result) => result.status === 'rejected');
    expect(won).toHaveLength(1);
    expect(lost.map(({ reason }) => reason)).toEqual([named('PreconditionFailedError')]);
    expect(sha256(await vault.get('large'))).toBe(won[0]?.value.sha256);
    expect(await uploads()).toEqual([]);
  });

  it('takes no more than a few parts of memory while S3 is slow', async () => {
    const { bucket } = await makeVault();
    const { promise: after, resolve: goOn } = Promise.withResolvers<void>();
    const { proxy, vault } = await faulty(bucket, isPart, { after });
    await using _ = proxy;
    const writer = await vault.openWriter('large');
    const chunk = randomBytes(mebibyte);
    let taken = 0;
    const total = (partsInFlight + 3) * partBytes(1);
    const writing = (async () => {
      for (; taken < total; taken += chunk.length) await writer.write(chunk);
    })();
    const soon = { timeout: 60_000 };
    await expect.poll(() => proxy.seen.filter(isPart).length, soon).toBe(partsInFlight);
    await expect.poll(() => taken, soon).toBe(partsInFlight * partBytes(1));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(proxy.seen.filter(isPart)).toHaveLength(partsInFlight);
    expect(taken).toBe(partsInFlight * partBytes(1));
    goOn();
    await writing;
    expect(await writer.commit()).toMatchObject({ storedBytes: total });
  });

  it('fails as soon as a part does, and takes the others back', async () => {
    const { bucket, uploads } = await makeVault();
    const answer = { status: 403, code: 'AccessDenied' };
    const { proxy, vault } = await faulty(bucket, first(isPart), { answer });
    await using _ = proxy;
    const body = randomBytes(8 * partBytes(1));
    await expect(vault.put('large', body)).rejects.toEqual(named('VaultAccessDeniedError'));
    expect(proxy.seen.filter(isPart).length).toBeLessThanOrEqual(partsInFlight + 1);
    expect(await uploads()).toEqual([]);
  });
});

describe('bytes that change on their way', () => {
  it.each([
    ['an object', 1_000, ({ method }: Seen) => method === 'PUT'],
    ['a part', partBytes(1) + 1, isPart],
  ])('are refused by S3: %s', async (_what, size, isMeant) => {
    const { bucket, vault: direct, uploads } = await makeVault();
    const { proxy, vault } = await faulty(bucket, isMeant, { flip: 'request' });
    await using _ = proxy;
    const refused = expect.objectContaining({ name: 'VaultIoError', retryable: true });
    await expect(vault.put('k', randomBytes(size))).rejects.toEqual(refused);
    await expect(direct.head('k')).rejects.toEqual(named('ObjectNotFoundError'));
    expect(await uploads()).toEqual([]);
  });
});

describe('an answer that is lost', () => {
  it.each([
    ['an object', 1_000, ({ method }: Seen) => method === 'PUT'],
    ['a completion', partBytes(1) + 1, isCompletion],
  ])('is no failure when the write was done: %s', async (_what, size, isMeant) => {
    const { s3, bucket } = await makeVault();
    const { proxy, vault } = await faulty(bucket, first(isMeant), { loseAnswer: true });
    await using _ = proxy;
    const body = randomBytes(size);
    const ref = await vault.put('k', body);
    const { Versions } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    expect(Versions).toMatchObject([{ Key: 'k', VersionId: ref.versionId, Size: size }]);
    expect(sha256(await vault.get('k', ref.versionId))).toBe(ref.sha256);
  });

  it('is no failure when the completion was done and S3 has forgotten the upload', async () => {
    const { bucket } = await makeVault();
    let completions = 0;
    await using proxy = await faultyProxy((seen) => {
      if (!isCompletion(seen)) return undefined;
      completions += 1;
      return completions === 1
        ? { loseAnswer: true }
        : { answer: { status: 404, code: 'NoSuchUpload' } };
    });
    const vault = openS3Vault({ s3: proxy.s3, bucket, lockMode: 'GOVERNANCE' });
    const ref = await vault.put('k', randomBytes(partBytes(1) + 1));
    expect(completions).toBe(2);
    expect(sha256(await vault.get('k', ref.versionId))).toBe(ref.sha256);
  });

  it('is a failed precondition when somebody else wrote the same bytes', async () => {
    const { bucket, vault: other } = await makeVault();
    await other.put('k', Buffer.from('same'));
    const isPut = ({ method }: Seen) => method === 'PUT';
    const { proxy, vault } = await faulty(bucket, first(isPut), { loseAnswer: true });
    await using _ = proxy;
    await expect(vault.put('k', Buffer.from('same'))).rejects.toEqual(
      named('PreconditionFailedError'),
    );
    expect(proxy.seen.filter(isPut)).toHaveLength(2);
  });

  it('is told as unknown to whoever may not look', async () => {
    const { bucket } = await makeVault();
    await using proxy = await faultyProxy(({ method, nth }) => {
      if (method === 'HEAD') return { answer: { status: 403 } };
      return method === 'PUT' && nth === 1 ? { loseAnswer: true } : undefined;
    });
    const vault = openS3Vault({ s3: proxy.s3, bucket, lockMode: 'GOVERNANCE' });
    const unknown = expect.objectContaining({ name: 'VaultIoError', retryable: true });
    await expect(vault.put('k', Buffer.from('x'))).rejects.toEqual(unknown);
  });

  it('lets a swap in the workspace succeed once, for its owner', async () => {
    const { s3, bucket } = await makeWorkspaceBucket();
    const { etag } = await openS3Workspace({ s3, bucket }).put('lease', Buffer.from('old'));
    await using proxy = await faultyProxy(({ method, nth }) =>
      method === 'PUT' && nth === 1 ? { loseAnswer: true } : undefined,
    );
    const workspace = openS3Workspace({ s3: proxy.s3, bucket });
    const mine = await workspace.put('lease', Buffer.from('mine'), { ifMatch: etag });
    expect(await workspace.get('lease')).toEqual({
      ...mine,
      body: new Uint8Array(Buffer.from('mine')),
    });
    await expect(workspace.put('lease', Buffer.from('late'), { ifMatch: etag })).rejects.toEqual(
      named('PreconditionFailedError'),
    );
  });
});
