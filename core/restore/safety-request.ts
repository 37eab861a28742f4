/**
 * The request for the safety backup: of the database that is about to be replaced or changed, whole, in tier `safety`.
 *
 * Invariant: it is filed under the name by which the vault knows this very database, and never under that of another.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import type { Manifest } from '../contract/manifest.ts';
import { type BackupInput, backupInputSchema } from '../contract/plan.ts';
import type { RestoreInput, RestoreRun } from '../contract/restore.ts';
import { listCatalogue } from '../evidence/catalogue.ts';
import { slugOf, withHash } from '../run/source-slug.ts';
import type { Workspace } from '../vault/vault.ts';
import { loadManifest } from '../verify/open-backup.ts';
import { readFact } from './restore-run.ts';

export const safetySchema = z.strictObject({ source: z.string(), backupId: z.string() });
export type SafetyBackup = z.infer<typeof safetySchema>;

export interface Safety {
  /** From 1: a restore that stood still takes another one. */
  readonly taking: number;
  readonly request: BackupInput;
  /** The backup that this request led to. */
  readonly noted: SafetyBackup | undefined;
  /** Those of earlier takings, the newest last. */
  readonly earlier: readonly SafetyBackup[];
}

type Server = Pick<RestoreRun['server'], 'host' | 'port'>;

/** Each taking has facts of its own. */
export const takingFact = (fact: 'safety' | 'safety-request', taking: number): string =>
  taking === 1 ? fact : `${fact}-${taking}`;

/** The taking that counts: the last that was asked for. Undefined when none was. */
export async function readSafety(workspace: Workspace, runId: string): Promise<Safety | undefined> {
  let last: Safety | undefined;
  for (let taking = 1; ; taking += 1) {
    const name = takingFact('safety-request', taking);
    const request = await readFact(workspace, runId, name, backupInputSchema);
    if (request === undefined) return last;
    const noted = await readFact(workspace, runId, takingFact('safety', taking), safetySchema);
    const before = last?.noted === undefined ? [] : [last.noted];
    last = { taking, request, noted, earlier: [...(last?.earlier ?? []), ...before] };
  }
}

/** Preflight has made sure that a database that is swapped or written into is there. */
export const needsSafetyBackup = (input: RestoreInput): boolean =>
  input.safetyBackup &&
  (input.mode === 'swap' || (input.mode === 'into' && input.selection.onConflict === 'replace'));

export async function safetyRequestOf(
  deps: Deps,
  run: Pick<RestoreRun, 'runId' | 'input' | 'server' | 'finalDatabase'>,
): Promise<BackupInput> {
  return backupInputSchema.parse({
    source: await sourceNameOf(deps, run.server, run.finalDatabase),
    tier: 'safety',
    labels: { restore: run.runId },
    options: { jobs: run.input.options.jobs },
    requestedBy: run.input.requestedBy,
  });
}

/** The name by which the vault knows this database, or a new one. */
export async function sourceNameOf(
  deps: Deps,
  server: Server,
  finalDatabase: string,
): Promise<string> {
  const looked = new Set<string>();
  const onDamaged = () => undefined;
  for await (const { source, backupId, database } of listCatalogue(deps.vault, { onDamaged })) {
    if (looked.has(source) || database !== finalDatabase) continue;
    looked.add(source);
    // One that cannot be believed says nothing about where its source is.
    const opened = await loadManifest(deps, source, backupId).catch(() => undefined);
    if (opened !== undefined && isOf(opened.manifest, server, finalDatabase)) return source;
  }
  const slug = slugOf(finalDatabase);
  for await (const _ of listCatalogue(deps.vault, { source: slug, onDamaged })) {
    return withHash(slug, `${server.host}:${server.port}/${finalDatabase}`);
  }
  return slug;
}

const isOf = ({ source, inventory }: Manifest, server: Server, database: string): boolean =>
  source.host === server.host &&
  source.port === server.port &&
  inventory.database.name === database;
