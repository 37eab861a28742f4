/**
 * docs/disaster-recovery.md on two real servers: every scenario's damage is done, and the page's own commands mend it. What
 * needs a deployment on AWS is in test/cloud/deployed/documents.test.ts.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { holdfast } from '../support/cli.ts';
import { startServer } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { type Block, sectionsOn, withValues } from './document.ts';
import { openShell } from './shell.ts';
import { breakTable, closeFor, contentOf, databases, dropOthers, fillShop, on } from './shop.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

const sections = sectionsOn('docs/disaster-recovery.md', 'machine');
const folders = temporaryFolders();
let home: EmbeddedServer;
let standby: EmbeddedServer;
let folder: string;
let good: Awaited<ReturnType<typeof contentOf>>;
let values: Record<string, string>;

beforeAll(async () => {
  // An autovacuum that writes a page back just then would mend what breakTable has broken.
  const settings = ['autovacuum=off'];
  [home, standby] = await Promise.all([startServer({ settings }), startServer({ settings })]);
  folder = await folders();
  await mkdir(join(folder, 'home'));
  await fillShop(home);
  good = await contentOf(home, 'shop');
  const store = {
    HOLDFAST_VAULT: join(folder, 'vault'),
    HOLDFAST_KEY_FILE: join(folder, 'key.json'),
    DATABASE_URL: home.url('shop'),
  };
  for (const command of [['init'], ['backup']]) {
    const { code, stderr } = await holdfast(command, { env: store });
    expect(code, stderr).toBe(0);
  }
  values = {
    ...store,
    RESTORE_DATABASE_URL: home.url().replace(/\/postgres$/, ''),
    STANDBY_SERVER: standby.url().replace(/\/postgres$/, ''),
    VAULT_COPY: join(folder, 'elsewhere'),
    GOOD: new Date().toISOString(),
    // Half of it is done when it fails.
    MIGRATE: `node '${join(import.meta.dirname, 'failing-migration.ts')}'`,
  };
});
afterAll(async () => {
  await home?.stop();
  await standby?.stop();
});

interface Scenario {
  /** What has happened before a person opens the page at this section; later, before its n-th block. */
  readonly before?: Readonly<Record<number, () => Promise<unknown>>>;
  /** What the page promises, when all of the section was done. */
  readonly after?: () => Promise<unknown>;
}

const same = async (server: EmbeddedServer, database: string, expected = good) =>
  expect(await contentOf(server, database)).toEqual(expected);

const scenarios: Readonly<Record<string, Scenario>> = {
  'Before it happens': {},
  'Look at what there is': {},
  'Keep the damage': {
    before: { 0: () => on(home, 'shop', 'DROP TABLE orders') },
    after: async () => {
      // Whoever says `latest` afterwards gets the table.
      const { code, stdout } = await holdfast(['show', 'latest', '--json'], { env: values });
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ manifest: { tier: 'manual' } });
    },
  },
  'Server or data centre lost': {
    after: () => same(standby, 'shop'),
  },
  'Failover on purpose': {
    after: async () => {
      await same(standby, 'shop');
      await closeFor(home, 'shop');
    },
  },
  Failback: {
    before: {
      0: async () => {
        await fillShop(standby);
        await on(
          standby,
          'shop',
          `UPDATE customer SET name = 'written at the standby' WHERE id = 7`,
        );
      },
    },
    after: async () => {
      expect(await contentOf(home, 'shop')).not.toEqual(good);
      await same(home, 'shop', await contentOf(standby, 'shop'));
      expect(await databases(home)).toContainEqual(expect.stringMatching(/^shop_before_/));
    },
  },
  'Database corrupt': {
    before: { 0: () => breakTable(home, 'shop', 'orders') },
    after: () => same(standby, 'shop'),
  },
  'Rows or a table gone': {
    before: {
      0: () => on(home, 'shop', 'DROP TABLE orders'),
      1: async () => {
        await same(home, 'shop');
        await on(home, 'shop', `DELETE FROM customer WHERE id > 450`);
      },
      2: async () => {
        await same(home, 'shop');
        await on(
          home,
          'shop',
          `DROP TABLE customer_then; UPDATE customer SET name = 'gone' WHERE id <= 10`,
        );
      },
    },
    after: () => same(home, 'shop'),
  },
  'Failed migration': {
    before: {
      1: async () => {
        await same(home, 'shop');
        await on(home, 'shop', 'DELETE FROM orders');
      },
      2: () => same(home, 'shop'),
    },
    after: async () => {
      const { orders } = await contentOf(home, 'shop');
      expect(orders).toMatchObject({ count: '0' });
    },
  },
  'Ransomware or a compromised account': {
    after: () => same(standby, 'shop_clean'),
  },
  'Blue-green, and a standby': {
    after: async () => {
      await same(home, 'shop');
      await same(standby, 'shop_standby');
      expect(await databases(standby)).toEqual(['postgres', 'shop_standby']);
    },
  },
  'When it is over': {},
};

/** What a person reads and sets first, whichever scenario comes. */
const [valuesBlock] = sections.get('Values') as [Block];

async function carryOut(section: string): Promise<void> {
  const { before = {}, after } = scenarios[section] ?? {};
  const shell = await openShell({ folder, env: { HOME: join(folder, 'home') } });
  await shell.run(withValues(valuesBlock, values));
  for (const [at, block] of (sections.get(section) ?? []).entries()) {
    await before[at]?.();
    await shell.run(block);
  }
  await after?.();
}

test('every section with commands has its scenario here', () => {
  expect([...sections.keys()].sort()).toEqual([...Object.keys(scenarios), 'Values'].sort());
});

describe('by the commands of its section', () => {
  // What is done today comes before what it is for, though the page ends with it.
  const first = 'Before it happens';
  const order = [first, ...[...sections.keys()].filter((it) => it !== first && it !== 'Values')];

  beforeAll(() => carryOut(first));

  for (const section of order.slice(1)) {
    test(section, async () => {
      await dropOthers(home);
      await dropOthers(standby);
      await fillShop(home);
      await carryOut(section);
    });
  }
});
