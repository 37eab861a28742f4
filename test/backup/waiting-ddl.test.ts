import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { newRunId } from '../../local/engine/run-backup.ts';
import { collectThrown, nameOfRejection } from '../statemachines/thrown-names.ts';
import { expectNothingLeft, fillShop, type Harness, makeHarness, waitsForLock } from './harness.ts';

const saw = collectThrown(import.meta.filename);

describe('a schema change that begins to wait behind the holders', () => {
  it.each([
    // Nobody watches before the dump has begun: these have to give up by themselves.
    ['DumpSchema', 'LockNotAvailableError'],
    ['PlanUnits', 'LockNotAvailableError'],
    ['DumpUnit', 'BlockedDdlError'],
  ])('before %s: the backup gives way with %s, and the change is made', async (when, error) => {
    await using own = await makeHarness('ddl');
    await fillShop(own.database);
    await using client = await connect(own);
    const runId = newRunId();
    const result = own.runHere(
      async (state, _input, call) => {
        if (state === when) await client.beginToAlter();
        return call();
      },
      runId,
      { lockSeconds: 2, blockedDdlSeconds: 2 },
    );
    await expect(result).rejects.toMatchObject({ name: error });
    saw(await nameOfRejection(result));
    await client.altered();
    await expectNothingLeft(own, runId, error);
  });

  it('when all rows are dumped waits until the backup lets go, and both succeed', async () => {
    await using own = await makeHarness('ddl');
    await fillShop(own.database);
    await using client = await connect(own);
    const report = await own.runHere(async (state, _input, call) => {
      if (state === 'ReleaseSnapshot') await client.beginToAlter();
      return call();
    });
    expect(report).toMatchObject({ state: 'published', rows: 20_003 });
    await client.altered();
  });
});

async function connect(harness: Harness) {
  const client = new pg.Client({ connectionString: harness.database.url });
  client.on('error', () => undefined);
  await client.connect();
  let altered: Promise<unknown> | undefined;
  let waits: Promise<void> | undefined;
  const begin = () => {
    altered = client.query('ALTER TABLE accounts ADD COLUMN later int');
    return waitsForLock(harness);
  };
  return {
    /** Once; resolves when it waits. */
    beginToAlter: () => (waits ??= begin()),
    async altered() {
      if (altered === undefined) throw new Error('Nobody began with it.');
      await altered;
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
