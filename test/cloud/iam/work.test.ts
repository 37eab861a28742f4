/**
 * With policies enforced every function does its work, and a role that is denied something is told so by name. What is
 * denied here that should not be is a defect of lib/functions/rights.ts or of the policies of keys and buckets.
 */
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import type { FunctionName } from '../../../core/contract/functions.ts';
import { functionRights } from '../../../lib/functions/rights.ts';
import {
  clientsIn,
  contentOf,
  ended,
  fillShop,
  names,
  primary,
  quick,
  replica,
  start,
  succeeded,
} from '../deployed/harness.ts';
import { primaryRegion } from '../emulator-clients.ts';
import { isOurs, onlyOurs } from '../own-emulator.ts';
import { whileDenied } from './deny.ts';

describe.skipIf(!isOurs)(
  `the work, with policies enforced${onlyOurs('it enforces nothing that we know of')}`,
  () => {
    let source: Awaited<ReturnType<typeof contentOf>>;

    const choice = { source: 'shop' };
    const options = { pollSeconds: 1 };
    const Bucket = names.vaultBucket(primary());

    beforeAll(async () => {
      await fillShop();
      source = await contentOf('primary', 'shop');
    });

    const backup = () => start('backup', { source: 'shop', options: quick });

    async function keysUnder(Prefix: string): Promise<string[]> {
      const { s3 } = clientsIn(primaryRegion);
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
      return Contents.map(({ Key }) => String(Key));
    }

    /** What makes a backup one that can be found and restored. */
    const published = async (): Promise<string[]> => [
      ...(await keysUnder('catalog/shop/')),
      ...(await keysUnder('backups/shop/')).filter((key) => /\/manifest\.(json|sig)$/.test(key)),
    ];

    test('a role that dumps and may not write: VaultAccessDeniedError, soon, and nothing is published', async () => {
      const failed = await whileDenied('DumpUnit', 's3:PutObject', async (role) => ({
        role,
        ...(await ended(await backup())),
      }));
      expect(failed).toMatchObject({ status: 'FAILED', error: 'VaultAccessDeniedError' });
      // Whoever reads it has to know whom to allow what.
      expect(failed.cause).toContain(failed.role);
      expect(failed.cause).toContain('s3:PutObject');
      expect(await published()).toEqual([]);
    });

    test('with the denial gone, a backup is published and replicated', async () => {
      expect(await succeeded(await backup())).toMatchObject({
        state: 'published',
        replica: 'replicated',
      });
      expect(await published()).not.toEqual([]);
    });

    test('a restore is identical', async () => {
      const report = await succeeded(
        await start('restore', { target: 'scratch', choice, options }),
      );
      expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical' });
      expect(await contentOf('primary', report.database)).toEqual(source);
    });

    test('a role that loads and may not decrypt: KeyAccessDeniedError', async () => {
      // Of the last backup the functions that are warm know the data key still.
      await succeeded(await backup());
      const failed = await whileDenied('LoadUnit', 'kms:Decrypt', async () =>
        ended(await start('restore', { target: 'scratch', database: 'denied', choice, options })),
      );
      expect(failed).toMatchObject({ status: 'FAILED', error: 'KeyAccessDeniedError' });
      expect(failed.cause).toContain('kms:Decrypt');
    });

    test('a swap takes a safety backup first, and puts the restored database in its place', async () => {
      const report = await succeeded(
        await start('restore', {
          target: 'scratch',
          mode: 'swap',
          database: 'shop',
          choice,
          options,
        }),
      );
      expect(report).toMatchObject({
        ...{ state: 'succeeded', verdict: 'identical' },
        safetyBackupId: expect.any(String),
      });
      expect(await contentOf('primary', 'shop')).toEqual(source);
    });

    test('a drill leaves evidence and no database', async () => {
      const report = await succeeded(await start('drill', { target: 'scratch', choice, options }));
      expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical', database: null });
    });

    test('the other Region drills and restores from its copy', async () => {
      const input = { target: 'dr-server', choice, options };
      const drill = await succeeded(await start('drill', input, { at: replica() }));
      expect(drill).toMatchObject({ state: 'succeeded', verdict: 'identical' });
      const restore = await succeeded(await start('restore', input, { at: replica() }));
      expect(restore).toMatchObject({ state: 'succeeded', verdict: 'identical' });
    });

    test('each function has ended a call well under its own role', async () => {
      const { lambda, logs } = clientsIn(primaryRegion);
      await lambda.send(
        new InvokeCommand({ FunctionName: names.function('Sentinel'), Payload: '{}' }),
      );
      const all = Object.keys(functionRights) as FunctionName[];
      const hasDone = async (name: FunctionName): Promise<boolean> => {
        const logGroupName = `/aws/lambda/${names.function(name)}`;
        const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName }));
        return events.some(({ message }) => message?.includes(`${name} done`));
      };
      await expect
        .poll(
          async () => {
            const done = await Promise.all(all.map(hasDone));
            return all.filter((_, index) => !done[index]);
          },
          { timeout: 60_000, interval: 1_000 },
        )
        .toEqual([]);
    });
  },
);
