import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holdfast } from '../support/cli.ts';
import { type CliVault, makeCliVault } from '../support/cli-vault.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { shop } from './support.ts';

interface Compared {
  verdict: string;
  left: { kind: string; name: string };
  right: { kind: string; name: string };
  tables: { table: string }[];
  differences: { object: string; keys?: string[] }[];
}

let folder: string;
let cli: CliVault;
let source: TestDatabase;
let other: TestDatabase;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-compare-cli-'));
  cli = await makeCliVault(folder);
  source = await testDatabase('compare_cli');
  other = await testDatabase('compare_cli_other');
  await source.query(shop);
  await other.query(shop);
  const made = await cli.run(['backup', '--database', source.url, '--source', 'shop']);
  expect(made.code, made.stderr).toBe(0);
}, 180_000);
afterAll(async () => {
  await source?.drop();
  await other?.drop();
  await rm(folder, { recursive: true, force: true });
});

describe('holdfast compare', () => {
  it('says that a backup and its database are identical, with exit code 0', async () => {
    const { code, stdout, stderr } = await cli.run(['compare', 'latest', source.url]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^left {3}backup shop-.*\nright {2}database postgres@127\.0\.0\.1/);
    expect(stdout).toContain('Identical (5 tables, 5,122 rows');
  });

  it('needs no vault for two databases, and names what differs with exit code 3', async () => {
    await other.query('UPDATE customers SET paid = 0 WHERE id = 8; DROP VIEW rich');
    const plain = await holdfast(['compare', source.url, other.url, '--rows', '--jobs', '2']);
    const json = await holdfast(['compare', source.url, other.url, '--rows', '--json']);
    await other.query(
      'UPDATE customers SET paid = 12 WHERE id = 8; CREATE VIEW rich AS SELECT id, name FROM customers WHERE paid > 100',
    );
    expect([plain.code, json.code]).toEqual([3, 3]);
    expect(plain.stdout).toContain('DIFFERENT: 4 differences');
    expect(plain.stdout).toMatch(/rows: public\.customers\n.*\n.*\n {4}keys {3}\{"id":"8"\}/);
    const compared = json.json<Compared>();
    expect(compared).toMatchObject({ verdict: 'different', left: { kind: 'live' } });
    expect(compared.differences).toContainEqual(
      expect.objectContaining({ object: 'public.customers', keys: ['{"id":"8"}'] }),
    );
    expect(json.stdout).not.toContain(new URL(source.url).password);
  });

  it('of an unknown backup ends with exit code 1', async () => {
    const { code, stderr } = await cli.run(['compare', 'nothing', source.url]);
    expect(code).toBe(1);
    expect(stderr).toContain('BackupNotFoundError');
  });

  it('without a vault for a backup says what is missing', async () => {
    const { code, stderr } = await holdfast(['compare', 'latest', source.url]);
    expect(code).toBe(2);
    expect(stderr).toContain('No vault was named');
  });
});
