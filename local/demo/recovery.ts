/**
 * The worst day of the demo's shop, and the way back: a deployment deletes rows and drops a table; the table restore
 * brings both back; a drill proves the whole backup.
 */
import { constants, copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Progress } from '../../core/contract/deps.ts';
import type { RestoreReport } from '../../core/contract/restore.ts';
import type { EmbeddedServer } from '../embedded-server.ts';
import { runDrill } from '../engine/run-drill.ts';
import { runRestore } from '../engine/run-restore.ts';
import { withClient } from './client.ts';

export interface Recovering {
  readonly server: EmbeddedServer;
  readonly vaultDirectory: string;
  readonly keyFile: string;
  readonly backupId: string;
  readonly jobs: number;
  readonly signal: AbortSignal;
  readonly by: { readonly user: string; readonly host: string };
}

/** What a migration that nobody tested does. */
export const badDeployment: readonly string[] = [
  'DROP TABLE catalog.picture',
  'DELETE FROM sales.purchase_item WHERE position = 4',
];

export interface ShopCounts {
  /** Null: there is no such table. */
  readonly pictures: number | null;
  readonly items: number;
}

export async function runBadDeployment({ server }: Recovering): Promise<void> {
  await withClient(server.url('shop'), async (client) => {
    for (const sql of badDeployment) await client.query(sql);
  });
}

export async function countShop({ server }: Pick<Recovering, 'server'>): Promise<ShopCounts> {
  return withClient(server.url('shop'), async (client) => {
    const count = async (table: string) => {
      const { rows } = await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
      return rows[0]?.n ?? 0;
    };
    const { rows } = await client.query<{ there: boolean }>(
      `SELECT to_regclass('catalog.picture') IS NOT NULL AS there`,
    );
    return {
      pictures: rows[0]?.there === true ? await count('catalog.picture') : null,
      items: await count('sales.purchase_item'),
    };
  });
}

/** The table that is gone is made again; of the other only the rows that are missing come back. */
export const bringBack = (
  recovering: Recovering,
  onProgress: (event: Progress) => void,
): Promise<RestoreReport> =>
  runRestore({
    ...common(recovering, onProgress),
    input: {
      target: 'shop',
      choice: { backup: recovering.backupId },
      mode: 'into',
      database: 'shop',
      selection: { tables: ['catalog.picture', 'sales.purchase_item'], onConflict: 'skip' },
      requestedBy: recovering.by,
    },
  });

export const prove = (
  recovering: Recovering,
  onProgress: (event: Progress) => void,
): Promise<RestoreReport> =>
  runDrill({
    ...common(recovering, onProgress),
    input: {
      target: 'scratch',
      choice: { backup: recovering.backupId },
      checks: [{ name: 'every order has a customer', sql: orphanCheck }],
      objectives: { rtoSeconds: 3_600, rpoSeconds: 86_400 },
      requestedBy: recovering.by,
    },
  });

const orphanCheck = `
  SELECT NOT EXISTS (SELECT FROM sales.purchase p
    WHERE NOT EXISTS (SELECT FROM sales.customer c WHERE c.id = p.customer_id))`;

const common = (
  { server, vaultDirectory, keyFile, jobs, signal }: Recovering,
  onProgress: (event: Progress) => void,
) => ({
  vaultDirectory,
  keyFile,
  connection: server.settings('postgres'),
  jobs,
  signal,
  onProgress,
});

/** The demo's folder goes with its end: what a person wants to look at goes beside it. */
export async function keepPage(report: RestoreReport): Promise<string> {
  const kept = join(tmpdir(), `holdfast-demo-${report.runId}.html`);
  if (report.page !== null) await copyFile(report.page, kept, constants.COPYFILE_EXCL);
  return kept;
}
