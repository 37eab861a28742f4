/**
 * The table of docs/rights.md, tried: each role of the deployment makes each call, and is let in exactly where the
 * statements in lib/functions/ say so.
 */
import { DescribeKeyCommand, GenerateDataKeyCommand } from '@aws-sdk/client-kms';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, inject, test } from 'vitest';
import type { FunctionName } from '../../../core/contract/functions.ts';
import { loadEnvironment } from '../../../lib/environment.ts';
import { type AttemptName, attempts, lets } from '../../../lib/functions/attempts.ts';
import { reachOf } from '../../../lib/functions/region.ts';
import { functionRights, statementsOf } from '../../../lib/functions/rights.ts';
import { environmentName } from '../deployed/environment.ts';
import { base, clientsIn, names, primary } from '../deployed/harness.ts';
import { primaryRegion, replicaRegion, s3Settings } from '../emulator-clients.ts';
import { isOurs, onlyOurs } from '../own-emulator.ts';
import { assume } from './assume.ts';
import { isLetIn, layOut } from './try.ts';

const all = Object.keys(functionRights) as FunctionName[];
const tried = Object.keys(attempts) as AttemptName[];

describe.skipIf(!isOurs)(`roles${onlyOurs('it enforces nothing that we know of')}`, () => {
  test.each([primaryRegion, replicaRegion])(
    'in %s each role may do what the table says, and nothing else of it',
    async (region) => {
      const reach = await reachIn(region);
      const { s3, kms } = clientsIn(region);
      await layOut(s3, reach, all);
      const { CiphertextBlob } = await kms.send(
        new GenerateDataKeyCommand({
          KeyId: reach.encryptionKeyArn,
          NumberOfBytes: 32,
          EncryptionContext: { vault: reach.vaultId },
        }),
      );
      const wrapped = CiphertextBlob ?? new Uint8Array();
      const expected: string[] = [];
      const got: string[] = [];
      let denied = 0;
      for (const who of all) {
        const credentials = await assume(names.roleName(who, region));
        const statements = statementsOf(who, reach);
        for (const name of tried) {
          const isLet = await isLetIn(name, { who, region, credentials, reach, wrapped });
          if (isLet === undefined) continue;
          if (isLet) got.push(`${who} ${name}`);
          else denied += 1;
          if (lets(statements, attempts[name], reach)) expected.push(`${who} ${name}`);
        }
      }
      expect(got).toEqual(expected);
      // What is asked is not for nothing: most of it is refused, and much is not.
      expect(got.length).toBeGreaterThan(100);
      expect(denied).toBeGreaterThan(500);
    },
  );

  test('nobody gets at a vault by plain http, whatever his role allows', async () => {
    const Bucket = names.vaultBucket(primary());
    const plain = new S3Client({
      ...s3Settings(),
      credentials: await assume(names.roleName('Publish', primaryRegion)),
    });
    const list = () => plain.send(new ListObjectsV2Command({ Bucket, Prefix: 'backups/' }));
    await expect(list()).resolves.toMatchObject({ Name: Bucket });
    plain.middlewareStack.add(
      (next) => (call) => {
        Object.assign((call.request as { headers: object }).headers, {
          'x-forwarded-proto': 'http',
        });
        return next(call);
      },
      { step: 'build' },
    );
    await expect(list()).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});

async function reachIn(region: string) {
  const { account } = base();
  const { kms } = clientsIn(region);
  const arnOf = async (KeyId: string) =>
    String((await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.Arn);
  const encryptionKeyArn = await arnOf(names.encryptionKeyAlias);
  const signingKeyArn = await arnOf(names.signingKeyAlias);
  const isPrimary = region === primaryRegion;
  const inReplica = (arn: string) => arn.replace(primaryRegion, replicaRegion);
  return reachOf({
    environment: loadEnvironment(environmentName, inject('environments')),
    ...{ place: { account, region }, isPrimary },
    keys: {
      ...{ encryptionKeyArn, signingKeyArn },
      ...(isPrimary && {
        replicaEncryptionKeyArn: inReplica(encryptionKeyArn),
        replicaSigningKeyArn: inReplica(signingKeyArn),
      }),
    },
  });
}
