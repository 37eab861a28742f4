/** One role is denied what it needs: the run ends by the name of that, publishes nothing, and the next one is as ever. */
import { DeleteRolePolicyCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeAll, expect, test } from 'vitest';
import {
  clientsIn,
  ended,
  fillShop,
  names,
  primary,
  quick,
  start,
  succeeded,
} from '../deployed/harness.ts';
import { primaryRegion, s3Settings } from '../emulator-clients.ts';
import { assume } from './assume.ts';

const denial = {
  RoleName: names.roleName('DumpUnit', primaryRegion),
  PolicyName: 'denied-by-the-test',
};
const { iam, s3 } = clientsIn(primaryRegion);
const Bucket = names.vaultBucket(primary());

const allow = () => iam.send(new DeleteRolePolicyCommand(denial));

beforeAll(() => fillShop(2_000));
afterEach(() => allow().catch(() => undefined));

async function keysUnder(Prefix: string): Promise<string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  return Contents.map(({ Key }) => String(Key));
}

/** What makes a backup one that can be found and restored. */
const published = async (): Promise<string[]> => [
  ...(await keysUnder('catalog/shop/')),
  ...(await keysUnder('backups/')).filter((key) => /\/manifest\.(json|sig)$/.test(key)),
];

test('a backup whose dumping role may not write ends as VaultAccessDeniedError, is not retried, and publishes nothing', async () => {
  const before = await published();
  await iam.send(
    new PutRolePolicyCommand({
      ...denial,
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Deny', Action: 's3:PutObject', Resource: `arn:aws:s3:::${Bucket}/*` },
        ],
      }),
    }),
  );
  const failed = await ended(await start('backup', { source: 'shop', options: quick }), 90);
  expect(failed).toMatchObject({ status: 'FAILED', error: 'VaultAccessDeniedError' });
  // The person who reads this has to know which role and which action.
  expect(failed.cause).toContain(denial.RoleName);
  expect(failed.cause).toContain('s3:PutObject');
  expect(await published()).toEqual(before);

  await allow();
  const report = await succeeded(await start('backup', { source: 'shop', options: quick }));
  expect(report).toMatchObject({ state: 'published' });
  expect((await published()).length).toBeGreaterThan(before.length);
});

test('nobody gets at a vault by plain http, whatever his role allows', async () => {
  const plain = new S3Client({
    ...s3Settings(),
    credentials: await assume(names.roleName('Publish', primaryRegion)),
  });
  const list = () => plain.send(new ListObjectsV2Command({ Bucket, Prefix: 'backups/' }));
  await expect(list()).resolves.toMatchObject({ Name: Bucket });
  plain.middlewareStack.add(
    (next) => (call) => {
      Object.assign((call.request as { headers: object }).headers, { 'x-forwarded-proto': 'http' });
      return next(call);
    },
    { step: 'build' },
  );
  await expect(list()).rejects.toMatchObject({ name: 'AccessDenied' });
});
