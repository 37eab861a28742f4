/** What is peculiar to reading from S3: connections that break or hang, pages, versions, another Region. */
import { createHash, randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openS3Vault, type S3Vault } from '../../aws/vault/s3-vault.ts';
import { makeReplicatedBuckets, makeVaultBucket } from './vault-buckets.ts';
import { type Fault, faultyProxy, type Seen } from './vault-proxy.ts';

const sha256 = (body: Uint8Array) => createHash('sha256').update(body).digest('hex');
const named = (name: string) => expect.objectContaining({ name });
const isGet = ({ method }: Seen) => method === 'GET';
const open = (at: Awaited<ReturnType<typeof makeVaultBucket>>): S3Vault =>
  openS3Vault({ ...at, lockMode: 'GOVERNANCE' });

/** One object, read through a network that does what `faultOf` says to the nth reading of it. */
async function written(body: Buffer, faultOf: (nth: number) => Fault | undefined) {
  const at = await makeVaultBucket();
  const ref = await open(at).put('k', body);
  const proxy = await faultyProxy((seen) => (isGet(seen) ? faultOf(seen.nth) : undefined));
  return { ...at, ref, proxy, vault: open({ ...at, s3: proxy.s3 }) };
}

describe('a connection that breaks midway', () => {
  it('is opened again where it was, on the same version', async () => {
    const body = randomBytes(3_000_000);
    const { proxy, vault, ref } = await written(body, (nth) =>
      nth <= 4 ? { cutAfter: 500_000 } : undefined,
    );
    await using _ = proxy;
    const range = { offset: 100_000, length: 2_800_000 };
    const read = await buffer(await vault.openReader('k', { range }));
    expect(sha256(read)).toBe(sha256(body.subarray(100_000, 2_900_000)));
    const gets = proxy.seen.filter(isGet);
    expect(gets.map(({ headers }) => headers.range)).toEqual(
      [100_000, 600_000, 1_100_000, 1_600_000, 2_100_000].map((from) => `bytes=${from}-2899999`),
    );
    for (const { url } of gets.slice(1)) expect(url).toContain(`versionId=${ref.versionId}`);
  });

  it('is an error that may be retried when no byte comes any more', async () => {
    const { proxy, vault } = await written(randomBytes(100_000), (nth) => ({
      cutAfter: nth === 1 ? 50_000 : 0,
    }));
    await using _ = proxy;
    const broken = expect.objectContaining({ name: 'VaultIoError', retryable: true });
    await expect(buffer(await vault.openReader('k'))).rejects.toEqual(broken);
    await expect(vault.get('k')).rejects.toEqual(broken);
  });

  it('is made good in a document that is read whole', async () => {
    const body = randomBytes(100_000);
    const { proxy, vault } = await written(body, (nth) =>
      nth === 1 ? { cutAfter: 50_000 } : undefined,
    );
    await using _ = proxy;
    expect(sha256(await vault.get('k'))).toBe(sha256(body));
  });

  it('is given up when it hangs, and opened again', async () => {
    const at = await makeVaultBucket();
    const body = randomBytes(2_000_000);
    await open(at).put('k', body);
    const stall = { stallAfter: 1_000_000 };
    await using proxy = await faultyProxy(
      (seen) => (isGet(seen) && seen.nth === 1 ? stall : undefined),
      // Much longer than an answer takes, on a machine that is at work too.
      { requestHandler: { socketTimeout: 3_000 } },
    );
    const read = await buffer(await open({ ...at, s3: proxy.s3 }).openReader('k'));
    expect(sha256(read)).toBe(sha256(body));
    expect(proxy.seen.filter(isGet)).toHaveLength(2);
  });
});

describe('a reader that takes its time', () => {
  it('gets all, though the connection was given up while it paused', async () => {
    const at = await makeVaultBucket();
    const body = randomBytes(12_000_000);
    await open(at).put('k', body);
    await using proxy = await faultyProxy(() => undefined, {
      requestHandler: { socketTimeout: 3_000 },
    });
    const chunks: Buffer[] = [];
    for await (const chunk of await open({ ...at, s3: proxy.s3 }).openReader('k')) {
      if (chunks.length === 0) await expect.poll(proxy.abandoned, { timeout: 60_000 }).toBe(1);
      chunks.push(chunk as Buffer);
    }
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(body));
    expect(proxy.seen.filter(isGet).length).toBeGreaterThan(1);
  });

  it('gets all, though the connection broke before it began', async () => {
    const body = randomBytes(200_000);
    const { proxy, vault } = await written(body, (nth) =>
      nth === 1 ? { cutAfter: 5 } : undefined,
    );
    await using _ = proxy;
    const reader = await vault.openReader('k');
    await sleep(200);
    expect(sha256(await buffer(reader))).toBe(sha256(body));
  });
});

describe('a reader that stops early', () => {
  it.each([
    ['at full speed', { cutAfter: Number.POSITIVE_INFINITY }],
    ['while nothing comes', { stallAfter: 70_000 }],
  ])('closes its connection %s', async (_when, fault) => {
    const { proxy, vault } = await written(randomBytes(30_000_000), () => fault);
    await using _ = proxy;
    const reader = await vault.openReader('k');
    for await (const _chunk of reader) break;
    expect(reader.destroyed).toBe(true);
    await expect.poll(proxy.abandoned, { timeout: 60_000 }).toBe(1);
    expect(proxy.seen.filter(isGet)).toHaveLength(1);
  });

  it('closes it with a destroy that comes while it waits for bytes', async () => {
    const { proxy, vault } = await written(randomBytes(100_000), () => ({ stallAfter: 0 }));
    await using _ = proxy;
    const reader = await vault.openReader('k');
    const reading = buffer(reader);
    setTimeout(() => reader.destroy(new Error('enough')), 100);
    await expect(reading).rejects.toThrow('enough');
    await expect.poll(proxy.abandoned, { timeout: 60_000 }).toBe(1);
    expect(proxy.seen.filter(isGet)).toHaveLength(1);
  });
});

it('tells a document that is not what was written', async () => {
  const { proxy, vault } = await written(randomBytes(10_000), () => ({ flip: 'answer' }));
  await using _ = proxy;
  await expect(vault.get('k')).rejects.toEqual(named('ObjectDamagedError'));
});

it('lists more keys than a page has, and asks for no page that nobody wants', async () => {
  const at = await makeVaultBucket();
  const direct = open(at);
  const keys = Array.from({ length: 1_045 }, (_, i) => `many/${String(i).padStart(5, '0')}`);
  for (let i = 0; i < keys.length; i += 50) {
    await Promise.all(keys.slice(i, i + 50).map((key) => direct.put(key, Buffer.from('x'))));
  }
  await using proxy = await faultyProxy(() => undefined);
  const vault = open({ ...at, s3: proxy.s3 });
  const listed = async (options?: { startAfter?: string; limit?: number }) => {
    const before = proxy.seen.length;
    const found: string[] = [];
    for await (const { key } of vault.list('many/', options)) found.push(key);
    return { found, pages: proxy.seen.length - before };
  };
  expect(await listed()).toEqual({ found: keys, pages: 2 });
  expect(await listed({ startAfter: 'many/00099', limit: 900 })).toEqual({
    found: keys.slice(100, 1_000),
    pages: 1,
  });
  expect(await listed({ limit: 1 })).toEqual({ found: keys.slice(0, 1), pages: 1 });
  for await (const { key } of vault.list('many/')) {
    expect(key).toBe(keys[0]);
    break;
  }
  expect(proxy.seen).toHaveLength(2 + 1 + 1 + 1);
});

it('reads from the replica in another Region what the primary wrote, by its version ids', async () => {
  const { primary, replica } = await makeReplicatedBuckets();
  const vault = open(primary);
  const bodies = { small: randomBytes(1_000), large: randomBytes(9_000_000) };
  const copy = open(replica);
  for (const [key, body] of Object.entries(bodies)) {
    const { versionId } = await vault.put(key, body, { tags: { 'holdfast-tier': 'staged' } });
    const until = new Date(Date.now() + 60_000);
    await vault.setRetainUntil(key, until);
    await vault.setTags(key, { 'holdfast-tier': 'daily' });
    const range = { offset: 500, length: 400 };
    const part = await buffer(await copy.openReader(key, { versionId, range }));
    expect(part.equals(body.subarray(500, 900))).toBe(true);
    expect(sha256(await copy.get(key, versionId))).toBe(sha256(body));
    expect(await copy.head(key)).toMatchObject({
      ...{ versionId, retainUntil: until, tags: { 'holdfast-tier': 'daily' } },
    });
    await expect(copy.delete(key)).rejects.toEqual(named('ObjectLockedError'));
  }
});
