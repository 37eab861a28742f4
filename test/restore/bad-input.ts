/**
 * Restores that must be refused: what is the same in each of them is looked at here. An error with a name and a way out;
 * source, vault and target as they were; no session left; a report as soon as there was a run.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ErrorName, HoldfastError } from '../../core/contract/errors.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import type { PreflightItem } from '../../core/contract/restore.ts';
import {
  type RestoreRequest,
  type RunRestoreOptions,
  runRestore,
} from '../../local/engine/run-restore.ts';
import { contentOf, type RestoreHarness } from './harness.ts';
import { onServer } from './shared-server.ts';

export interface Expected {
  readonly name: ErrorName | RegExp;
  readonly message: RegExp;
  /** What a person can do now. */
  readonly hint: RegExp;
  /** Databases of the target, beside the source, whose content must be as before. */
  readonly contents?: readonly string[];
  /** Was a run begun? Then there is a report of it. */
  readonly isBegun: boolean;
  /** Of a server of its own; default: the shared one. */
  readonly onTarget?: typeof onServer;
}

/** Runs the restore and expects that it is refused so, and that nothing else has happened. */
export async function expectRefused(
  harness: RestoreHarness,
  request: Partial<RestoreRequest>,
  expected: Expected,
  more: Partial<RunRestoreOptions> = {},
): Promise<HoldfastError> {
  const before = await witness(harness, expected);
  const files = await vaultOf(harness.source.vaultDirectory);
  const options = harness.options(request, more);
  const error: HoldfastError = await runRestore(options).then(
    () => expect.unreachable('The restore was not refused.'),
    (thrown: HoldfastError) => thrown,
  );
  expect(error).toMatchObject({ name: expect.stringMatching(expected.name) });
  expect(error.message).toMatch(expected.message);
  expect(error.hint).toMatch(expected.hint);
  const { onTarget = onServer } = expected;
  await expect.poll(() => onTarget('postgres', sessionsOf(options.runId as string))).toEqual([]);
  expect(await witness(harness, expected)).toEqual(before);
  await expectKept(harness, options.runId as string, files);
  await expectReport(harness, error, options.runId as string, expected);
  return error;
}

/** What preflight found, beside what was all right. */
export function failedChecks(error: HoldfastError): PreflightItem[] {
  const { items } = error.evidence as { items: PreflightItem[] };
  return items.filter(({ verdict }) => verdict === 'failed');
}

async function expectReport(
  harness: RestoreHarness,
  { name, evidence, hint }: HoldfastError,
  runId: string,
  { isBegun }: Expected,
): Promise<void> {
  const report = await harness.read(`restores/${runId}/report.json`);
  if (!isBegun) {
    expect([report, evidence.report]).toEqual([undefined, undefined]);
    return;
  }
  expect(evidence).toMatchObject({ runId, report: `restores/${runId}/report.json` });
  expect(report).toMatchObject({ state: 'failed', database: null, error: { name, hint } });
  // Rows that were compared beside the tables, and never got into them, are identical to nothing.
  expect(report).not.toMatchObject({ mode: 'into', verdict: 'identical' });
  const outcome = await harness.read(`restores/${runId}/outcome.json`);
  expect(outcome).toMatchObject({ runId, state: 'failed' });
  const page = await readFile(
    join(harness.source.vaultDirectory, 'workspace', `restores/${runId}/report.html`),
    'utf8',
  );
  expect(page).toContain(name);
}

const sessionsOf = (runId: string) =>
  `SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'holdfast/${runId}/%'`;

/** The databases and roles that are ours by their names, and what is in them. Other tests use the same server. */
async function witness(
  { source }: RestoreHarness,
  { contents = [], onTarget = onServer }: Expected,
): Promise<Record<string, unknown>> {
  const { name } = source.database;
  const isOwnServer = onTarget !== onServer;
  const ours = isOwnServer ? 'true' : `starts_with(datname, '${name}')`;
  return {
    databases: await onTarget(
      'postgres',
      `SELECT oid::text, datname, datdba::text, datallowconn, datconnlimit, datacl::text FROM pg_database WHERE ${ours} ORDER BY 2`,
    ),
    roles: await onTarget(
      'postgres',
      `SELECT rolname FROM pg_roles WHERE starts_with(rolname, '${name}') ORDER BY 1`,
    ),
    source: await contentOf(name),
    contents: await Promise.all(contents.map((database) => contentOf(database))),
  };
}

/** Each file of the vault but its workspace: key, size, hash. */
export async function vaultOf(directory: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const key = path.slice(directory.length + 1);
    if (key.startsWith('workspace/')) continue;
    const body = await readFile(path);
    files.set(key, `${body.length} ${createHash('sha256').update(body).digest('hex')}`);
  }
  return files;
}

/** All that was there is there; what is new is evidence, or of the safety backup that the restore took. */
async function expectKept(
  { source, read }: RestoreHarness,
  runId: string,
  before: Map<string, string>,
): Promise<void> {
  const after = await vaultOf(source.vaultDirectory);
  expect([...after].filter(([key]) => before.has(key)).sort()).toEqual([...before].sort());
  const safety = await read(`restores/${runId}/facts/safety.json`);
  const isSafety = (key: string) =>
    typeof safety?.backupId === 'string' && key.includes(safety.backupId);
  const added = [...after.keys()].filter((key) => !before.has(key) && !isSafety(key));
  expect(added.filter((key) => !key.startsWith('evidence/'))).toEqual([]);
}

/** Objects of the backup as they lie on the disk. */
export interface Objects {
  readonly manifest: Manifest;
  /** The object and the place of the first segment of a table. */
  segmentOf(table: string): { key: string; offset: number; storedBytes: number };
  read(key: string): Promise<Buffer>;
  /** `undefined` takes the file away. */
  write(key: string, body: Buffer | undefined): Promise<void>;
}

/** Damages objects, does the work, and puts every object back as it was. */
export async function whileDamaged<T>(
  { source, backupId }: RestoreHarness,
  damage: (objects: Objects) => Promise<void>,
  work: () => Promise<T>,
): Promise<T> {
  const manifest = await source.manifest(backupId);
  const path = (key: string) => join(source.vaultDirectory, key);
  const originals = new Map<string, Buffer>();
  // Read-only files: they are made anew.
  const replace = async (key: string, body: Buffer | undefined) => {
    await rm(path(key), { force: true });
    if (body !== undefined) await writeFile(path(key), body, { mode: 0o600 });
  };
  const objects: Objects = {
    manifest,
    segmentOf(table) {
      const [segment] = manifest.tables.find(({ name }) => name === table)?.segments ?? [];
      if (segment === undefined) throw new Error(`${table} has no rows in this backup.`);
      const key = manifest.objects[segment.object]?.key ?? '';
      return { key, offset: segment.offset, storedBytes: segment.storedBytes };
    },
    read: (key) => readFile(path(key)),
    async write(key, body) {
      if (!originals.has(key)) originals.set(key, await readFile(path(key)));
      await replace(key, body);
    },
  };
  try {
    await damage(objects);
    return await work();
  } finally {
    for (const [key, body] of originals) await replace(key, body);
  }
}
