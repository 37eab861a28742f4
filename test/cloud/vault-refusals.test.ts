/** What S3 refuses, in the catalogue's words: no right is never "no object", and no message has a credential in it. */
import { inspect } from 'node:util';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { s3ClientSettings } from '../../aws/vault/client-settings.ts';
import { openS3Vault } from '../../aws/vault/s3-vault.ts';
import { openS3Workspace } from '../../aws/vault/s3-workspace.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { primaryRegion, s3Settings } from './emulator-clients.ts';
import { isOurs, onlyOurs } from './own-emulator.ts';
import { makeVaultBucket, makeWorkspaceBucket } from './vault-buckets.ts';
import { type CannedAnswer, faultyProxy } from './vault-proxy.ts';

const named = (name: string) => expect.objectContaining({ name });
const bytes = (text: string) => Buffer.from(text);

/** Every way to read, each as it fails. */
const readings = (vault: ReturnType<typeof openS3Vault>) =>
  [
    () => vault.get('k'),
    () => vault.head('k'),
    () => vault.openReader('k'),
    () => vault.openReader('k', { range: { offset: 0, length: 0 } }),
    () => vault.openReader('k', { versionId: 'v', range: { offset: 0, length: 1 } }),
  ] as const;

describe('locks', () => {
  it('removes a version for good, unless it is locked; a shorter time leaves the longer one', async () => {
    const at = await makeVaultBucket();
    const vault = openS3Vault({ ...at, lockMode: 'GOVERNANCE' });
    await vault.put('gone', bytes('x'));
    await vault.delete('gone');
    await vault.put('kept', bytes('x'));
    const until = new Date(Date.now() + 3_600_000);
    await vault.setRetainUntil('kept', until);
    await expect(vault.delete('kept')).rejects.toEqual(named('ObjectLockedError'));
    await expect(vault.setRetainUntil('kept', new Date())).rejects.toEqual(
      named('ObjectLockedError'),
    );
    expect((await vault.head('kept')).retainUntil).toEqual(until);
    const all = await at.s3.send(new ListObjectVersionsCommand({ Bucket: at.bucket }));
    expect(all.Versions).toMatchObject([{ Key: 'kept' }]);
    expect(all.DeleteMarkers ?? []).toEqual([]);
  });

  it('does not weaken COMPLIANCE', async () => {
    const at = await makeVaultBucket();
    const vault = openS3Vault({ ...at, lockMode: 'GOVERNANCE' });
    await vault.put('k', bytes('x'));
    const until = new Date(Date.now() + 60_000);
    const Retention = { Mode: 'COMPLIANCE' as const, RetainUntilDate: until };
    await at.s3.send(new PutObjectRetentionCommand({ Bucket: at.bucket, Key: 'k', Retention }));
    const later = new Date(until.getTime() + 60_000);
    await vault.setRetainUntil('k', later);
    const { ObjectLockMode, ObjectLockRetainUntilDate } = await headOf(at);
    expect({ ObjectLockMode, ObjectLockRetainUntilDate }).toEqual({
      ObjectLockMode: 'COMPLIANCE',
      ObjectLockRetainUntilDate: later,
    });
  });
});

describe('buckets that are none of a vault', () => {
  it('says of a bucket that is not there that it is not there, not its objects', async () => {
    const { s3 } = await makeVaultBucket();
    const vault = openS3Vault({ s3, bucket: 'holdfast-test-no-such', lockMode: 'GOVERNANCE' });
    for (const read of readings(vault)) {
      await expect(read()).rejects.toEqual(named('VaultNotFoundError'));
    }
    await expect(vault.put('k', bytes('x'))).rejects.toEqual(named('VaultNotFoundError'));
    await expect(vault.list('')[Symbol.asyncIterator]().next()).rejects.toEqual(
      named('VaultNotFoundError'),
    );
    await expect(vault.delete('k')).rejects.toEqual(named('VaultNotFoundError'));
    const workspace = openS3Workspace({ s3, bucket: 'holdfast-test-no-such' });
    await expect(workspace.get('k')).rejects.toEqual(named('VaultNotFoundError'));
  });

  it('takes no bucket without versions, and sets no lock in one without Object Lock', async () => {
    const plain = await makeWorkspaceBucket();
    const vault = openS3Vault({ ...plain, lockMode: 'GOVERNANCE' });
    await expect(vault.put('k', bytes('x'))).rejects.toEqual(named('ConfigurationError'));
    const { s3, bucket } = plain;
    await s3.send(
      new PutBucketVersioningCommand({
        Bucket: bucket,
        VersioningConfiguration: { Status: 'Enabled' },
      }),
    );
    await vault.put('versioned', bytes('x'));
    await expect(vault.setRetainUntil('versioned', new Date(Date.now() + 1_000))).rejects.toEqual(
      named('ConfigurationError'),
    );
  });

  it('names the account that the bucket must belong to in every request', async () => {
    const at = await makeVaultBucket();
    await using proxy = await faultyProxy(() => undefined);
    const expectedBucketOwner = '123456789012';
    const vault = openS3Vault({
      ...{ ...at, s3: proxy.s3, lockMode: 'GOVERNANCE', expectedBucketOwner },
    });
    await vault.put('k', Buffer.alloc(9_000_000));
    for (const read of readings(vault)) await read().catch(() => {});
    await vault.setTags('k', {});
    await vault.setLegalHold('k', true);
    await vault.setLegalHold('k', false);
    await vault.setRetainUntil('k', new Date());
    await vault.list('').next();
    await vault.delete('k');
    expect(proxy.seen.length).toBeGreaterThan(15);
    for (const { headers } of proxy.seen) {
      expect(headers['x-amz-expected-bucket-owner']).toBe(expectedBucketOwner);
    }
  });

  it('has nobody to reach: an error that may be retried', async () => {
    const s3 = new S3Client({
      ...{ ...s3Settings(), ...s3ClientSettings, maxAttempts: 2 },
      endpoint: 'http://127.0.0.1:9',
    });
    const vault = openS3Vault({ s3, bucket: 'any', lockMode: 'GOVERNANCE' });
    const unreachable = expect.objectContaining({ name: 'VaultIoError', retryable: true });
    await expect(vault.get('k')).rejects.toEqual(unreachable);
    await expect(vault.put('k', bytes('x'))).rejects.toEqual(unreachable);
  });
});

// It starts an emulator of its own, in another mode than the given one may be in.
describe.skipIf(!isOurs)(`with IAM enforced${onlyOurs('it may be in another mode')}`, () => {
  const bucket = 'holdfast-test-guarded';
  let emulator: Emulator;
  const clientOf = (accessKeyId: string, secretAccessKey: string) =>
    new S3Client({
      ...{ ...s3ClientSettings, region: primaryRegion, forcePathStyle: true },
      ...{ endpoint: emulator.endpoint, credentials: { accessKeyId, secretAccessKey } },
    });
  const vaultOf = (s3: S3Client) => openS3Vault({ s3, bucket, lockMode: 'GOVERNANCE' });

  beforeAll(async () => {
    emulator = await startEmulator({ iam: true });
    const root = clientOf('test', 'test');
    await root.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }));
    await vaultOf(root).put('k', bytes('x'));
  });
  afterAll(() => emulator.stop());

  async function userWith(name: string, ...Action: string[]) {
    const iam = new IAMClient({
      ...{ region: primaryRegion, endpoint: emulator.endpoint },
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    await iam.send(new CreateUserCommand({ UserName: name }));
    const Resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action, Resource }],
    });
    await iam.send(new PutUserPolicyCommand({ UserName: name, PolicyName: 'p', PolicyDocument }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
    return vaultOf(clientOf(AccessKey?.AccessKeyId ?? '', AccessKey?.SecretAccessKey ?? ''));
  }

  it('tells whoever may read nothing that it may not, of what is there and of what is not', async () => {
    const vault = await userWith('writer', 's3:PutObject');
    await vault.put('written', bytes('x'));
    for (const read of readings(vault)) {
      await expect(read()).rejects.toEqual(named('VaultAccessDeniedError'));
    }
    await expect(vault.get('no-such')).rejects.toEqual(named('VaultAccessDeniedError'));
    await expect(vault.list('').next()).rejects.toEqual(named('VaultAccessDeniedError'));
    await expect(vault.delete('k')).rejects.toEqual(named('VaultAccessDeniedError'));
  });
});

/** The emulator does not answer so; these are S3's documented answers, sent by a proxy. */
describe('answers of S3', () => {
  const through = async (answer: (method: string) => CannedAnswer) => {
    const proxy = await faultyProxy(({ method }) => ({ answer: answer(method) }));
    return { proxy, vault: openS3Vault({ s3: proxy.s3, bucket: 'any', lockMode: 'GOVERNANCE' }) };
  };

  it('to whoever may read but not list: a missing key is "denied", and told so', async () => {
    const { proxy, vault } = await through((method) =>
      method === 'HEAD' ? { status: 403 } : { status: 403, code: 'AccessDenied' },
    );
    await using _ = proxy;
    for (const read of readings(vault)) {
      await expect(read()).rejects.toEqual(named('VaultAccessDeniedError'));
    }
    await expect(vault.delete('k')).rejects.toEqual(named('VaultAccessDeniedError'));
    const workspace = openS3Workspace({ s3: proxy.s3, bucket: 'any' });
    await expect(workspace.get('k')).rejects.toEqual(named('VaultAccessDeniedError'));
  });

  it('to a wrong secret quote what was signed: it is not in the error', async () => {
    const quoted = 'x-amz-security-token:FwoGZXIvYXdzEBYaD-the-token';
    const more = `<StringToSign>${quoted}</StringToSign><CanonicalRequest>${quoted}</CanonicalRequest>`;
    const { proxy, vault } = await through(() => ({
      ...{ status: 403, code: 'SignatureDoesNotMatch', more },
    }));
    await using _ = proxy;
    for (const act of [() => vault.get('k'), () => vault.put('k', bytes('x'))]) {
      const error: unknown = await act().catch((reason: unknown) => reason);
      expect(error).toEqual(named('VaultAccessDeniedError'));
      const shown = inspect(error, { depth: 20, showHidden: true });
      expect(shown).toContain('SignatureDoesNotMatch');
      expect(shown).not.toContain('the-token');
    }
  });

  it.each([
    [503, 'SlowDown', 'VaultIoError'],
    [500, 'InternalError', 'VaultIoError'],
    [400, 'RequestTimeout', 'VaultIoError'],
    [409, 'ConditionalRequestConflict', 'PreconditionFailedError'],
    [412, 'PreconditionFailed', 'PreconditionFailedError'],
    [301, 'PermanentRedirect', 'ConfigurationError'],
    [400, 'AuthorizationHeaderMalformed', 'ConfigurationError'],
    [403, 'InvalidAccessKeyId', 'VaultAccessDeniedError'],
    [400, 'ExpiredToken', 'VaultAccessDeniedError'],
    [404, 'NoSuchBucket', 'VaultNotFoundError'],
    [507, 'QuotaExceeded', 'VaultFullError'],
    [400, 'EntityTooLarge', 'InternalError'],
  ])('%i %s to a write is %s', async (status, code, name) => {
    const proxy = await faultyProxy(
      ({ method }) => ({ answer: method === 'PUT' ? { status, code } : { status: 404 } }),
      { maxAttempts: 2 },
    );
    await using _ = proxy;
    const vault = openS3Vault({ s3: proxy.s3, bucket: 'any', lockMode: 'GOVERNANCE' });
    await expect(vault.put('k', bytes('x'))).rejects.toEqual(named(name));
  });
});

const headOf = ({ s3, bucket }: Awaited<ReturnType<typeof makeVaultBucket>>) =>
  s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'k' }));
