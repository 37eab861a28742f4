/** Mode `into`: what a second attempt of the cutover makes of what it finds. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bookkeepingSchemaOf } from '../../core/restore/progress.ts';
import { putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { type IntoHarness, lines, makeIntoHarness } from './into-harness.ts';
import { onServer, urlOf } from './shared-server.ts';

let into: IntoHarness;

beforeAll(async () => {
  into = await makeIntoHarness();
}, 60_000);

afterAll(async () => {
  await into[Symbol.asyncDispose]();
});

const schemaOf = (runId: string) =>
  bookkeepingSchemaOf({ runId, input: { mode: 'into' } } as never);
const selection = { tables: ['shop.lines'], onConflict: 'skip' };
const nothingMerged = {
  name: 'RestoreDifferentError',
  message: expect.stringMatching(
    /staging schema .* was dropped by somebody, and nothing was merged/,
  ),
};

/** A shop without lines. */
async function emptied(): Promise<string> {
  const database = await into.copy();
  await onServer(database, 'DELETE FROM shop.lines');
  return database;
}

describe('a staging schema that is gone', () => {
  test('is no merge when nobody noted one', async () => {
    const database = await emptied();
    const dropping = into.restore(database, selection, (runId) =>
      onServer(database, `DROP SCHEMA ${schemaOf(runId)} CASCADE`),
    );
    await expect(dropping).rejects.toMatchObject(nothingMerged);
    expect(await lines(database, 'SELECT count(*) FROM shop.lines')).toEqual(['0']);
  });

  test.each([
    ['was rolled back', 'ROLLBACK', (transaction: string) => transaction],
    ['this server has never seen', 'COMMIT', (transaction: string) => `${transaction}000000`],
  ])('is no merge when the transaction that was noted %s', async (_title, end, noted) => {
    const database = await emptied();
    const dropping = into.restore(database, selection, async (runId) => {
      await onServer(database, `DROP SCHEMA ${schemaOf(runId)} CASCADE`);
      const transaction = noted(await transactionEndedBy(database, end));
      const fact = { transaction, merged: [] };
      await putJson(into.deps.workspace, workspaceKeys.restoreFact(runId, 'merged'), fact);
    });
    await expect(dropping).rejects.toMatchObject(nothingMerged);
  });
});

async function transactionEndedBy(database: string, end: string): Promise<string> {
  const client = new pg.Client({ connectionString: urlOf(database) });
  await client.connect();
  try {
    await client.query('BEGIN');
    const { rows } = await client.query('SELECT pg_current_xact_id()::text AS xid');
    await client.query(end);
    return rows[0].xid;
  } finally {
    await client.end();
  }
}
