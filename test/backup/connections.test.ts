import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { StateName } from '../../core/contract/payloads.ts';
import { handlers } from '../../lambdas/handlers.ts';
import { openLocalDeps } from '../../local/engine/local-deps.ts';
import { newRunId, runBackup } from '../../local/engine/run-backup.ts';
import { collectThrown, nameOfRejection } from '../statemachines/thrown-names.ts';
import { TransactionPooler } from '../support/transaction-pooler.ts';
import { expectNothingLeft, fillShop, type Harness, makeHarness } from './harness.ts';

const saw = collectThrown(import.meta.filename);

let harness: Harness;
beforeAll(async () => {
  harness = await makeHarness('connections');
  await fillShop(harness.database);
});
afterAll(() => harness[Symbol.asyncDispose]());

it('a backup through a transaction pooler is refused before anything is held', async () => {
  await using pooler = await TransactionPooler.start(harness.database.settings, { order: 'fifo' });
  const runId = newRunId();
  const run = runBackup(harness.options({ connection: pooler.settings, runId }));
  await expect(run).rejects.toMatchObject({
    name: 'PoolerDetectedError',
    hint: expect.stringContaining('pool_mode = session'),
  });
  expect(await harness.catalogue()).toEqual([]);
});

it('a role that may have one connection only is told so, and nothing is left', async () => {
  const role = 'hf_connections_one';
  await harness.database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x' CONNECTION LIMIT 1`);
  await harness.database.query(`GRANT pg_read_all_data TO ${role}`);
  try {
    const runId = newRunId();
    const connection = { ...harness.database.settings, user: role, password: async () => 'x' };
    const run = runBackup(harness.options({ connection, runId }));
    await expect(run).rejects.toMatchObject({
      name: 'TooManyConnectionsError',
      hint: expect.stringContaining('--jobs'),
    });
    saw(await nameOfRejection(run));
    await expectNothingLeft(harness, runId, 'TooManyConnectionsError');
  } finally {
    await harness.database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

it('rights that are revoked while it runs end it: rows are never left out in silence', async () => {
  const role = 'hf_connections_policy';
  await harness.database.query(`
    CREATE TABLE guarded AS SELECT generate_series(1, 100) AS n;
    CREATE ROLE ${role} LOGIN PASSWORD 'x' BYPASSRLS;
    GRANT pg_read_all_data TO ${role};
    ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
    CREATE POLICY half ON guarded USING (n % 2 = 0);`);
  try {
    const runId = newRunId();
    const connection = { ...harness.database.settings, user: role, password: async () => 'x' };
    const { vaultDirectory, keyFile } = harness;
    const { deps } = await openLocalDeps({ vaultDirectory, keyFile, connection });
    let isRevoked: Promise<unknown> | undefined;
    const run = harness.runHere(async (state, input) => {
      if (state === 'DumpUnit') {
        isRevoked ??= harness.database.query(`ALTER ROLE ${role} NOBYPASSRLS`);
        await isRevoked;
      }
      return handlers[state](deps)(input);
    }, runId);
    await expect(run).rejects.toMatchObject({ name: 'RowSecurityError' });
    expect(isRevoked).toBeDefined();
    await expectNothingLeft(harness, runId, 'RowSecurityError');
  } finally {
    await harness.database.query(`DROP TABLE guarded; DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

describe('a vault that refuses writes from some state on', () => {
  /** Root may write anywhere, so the refusal is the adapter's. */
  const refusing = (deps: Deps): Deps => ({
    ...deps,
    vault: new Proxy(deps.vault, {
      get: (target, name) => {
        const member = Reflect.get(target, name) as unknown;
        if (typeof member !== 'function') return member;
        if (!['put', 'openWriter', 'setTags'].includes(String(name))) return member.bind(target);
        return async (key: string) => {
          throw new HoldfastError('VaultAccessDeniedError', `${key} may not be written.`);
        };
      },
    }),
  });

  it.each(['DumpSchema', 'DumpUnit', 'Seal', 'Publish'] as const)(
    '%s: the run fails with that, publishes nothing and holds nothing',
    async (from: StateName) => {
      const runId = newRunId();
      const run = harness.runHere(
        (state, input, call) =>
          state === from ? handlers[state](refusing(harness.deps))(input) : call(),
        runId,
      );
      await expect(run).rejects.toMatchObject({ name: 'VaultAccessDeniedError' });
      await expectNothingLeft(harness, runId, 'VaultAccessDeniedError');
    },
  );
});
