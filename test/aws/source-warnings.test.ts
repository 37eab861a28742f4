/** What RDS knows and the server cannot tell, from Plan to the signed manifest. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { windowWarnings } from '../../aws/connection/rds-windows.ts';
import { handlers } from '../../lambdas/handlers.ts';
import { type Harness, makeHarness } from '../backup/harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await makeHarness('windows');
  await harness.database.query('CREATE TABLE t AS SELECT 1 AS n');
});
afterAll(() => harness[Symbol.asyncDispose]());

const server = {
  host: 'shop.example',
  backupWindow: '03:00-03:30',
  maintenanceWindow: undefined,
  isMultiAz: true,
};

async function warningsAt(time: string): Promise<string[]> {
  const deps = {
    ...harness.deps,
    now: () => new Date(time),
    sourceWarnings: async (_: string, at: Date) => windowWarnings(server, at),
  };
  await harness.runHere((state, input, call) =>
    state === 'Plan' ? handlers.Plan(deps)(input) : call(),
  );
  const backups = await harness.catalogue();
  const newest = backups.find(({ backupId }) => backupId.includes(time.replaceAll(/[-:]/g, '')));
  const { warnings } = await harness.manifest(newest?.backupId ?? '');
  return warnings.map(({ code }) => code);
}

it('a backup that begins within the backup window of RDS has the warning in its manifest, and no other has', async () => {
  expect(await warningsAt('2026-11-21T03:10:00Z')).toEqual(['rds-backup-window']);
  expect(await warningsAt('2026-11-21T04:10:00Z')).toEqual([]);
});
