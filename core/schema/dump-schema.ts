/**
 * The state DumpSchema: pre-data and post-data of the run's snapshot, written into the vault.
 *
 * Invariant: pg_dump reads the catalogs by its snapshot but asks many pg_get_…() functions, which see the newest
 * state. So a text counts only when the catalogs were the same in the snapshot, before the dump and after it.
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import {
  type Run,
  type SchemaReceipt,
  type SnapshotRecord,
  schemaReceiptSchema,
} from '../contract/plan.ts';
import { applicationNameOf } from '../postgres/application-name.ts';
import { openSession } from '../postgres/session.ts';
import { catalogHash } from '../snapshot/catalog-hash.ts';
import { exportSnapshot } from '../snapshot/fix-snapshot.ts';
import { importSnapshot } from '../snapshot/import-snapshot.ts';
import { readRun, readSnapshot } from '../snapshot/marks.ts';
import { decodeJson, getJson, putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { dumpSection } from './dump-section.ts';
import type { DumpedSection } from './pg-dump-args.ts';
import type { PlainSql } from './plain-sql.ts';
import { sessionSettings } from './sql-text.ts';
import { type WrittenSection, withSections, writeTextObject } from './text-section.ts';

type SchemaDeps = Pick<
  Deps,
  'vault' | 'vaultId' | 'workspace' | 'keyRing' | 'connectionOf' | 'progress'
>;

const sections: readonly DumpedSection[] = ['pre-data', 'post-data'];

/**
 * Safe to call again: what is recorded in `schema.json` is not dumped twice.
 *
 * @throws SchemaMovedError when the schema is not the snapshot's any more; what `dumpSection` throws
 */
export async function dumpSchemaState(
  deps: SchemaDeps,
  { runId }: InputOf<'DumpSchema'>,
): Promise<OutputOf<'DumpSchema'>> {
  const run = await readRun(deps.workspace, runId);
  const snapshot = await readSnapshot(deps.workspace, runId);
  const key = workspaceKeys.schema(runId);
  const entry = await deps.workspace.get(key);
  const earlier = entry && decodeJson(schemaReceiptSchema, entry.body, key);
  if (isOf(snapshot, earlier)) return summary(earlier);
  const receipt = await dumpAndWrite(deps, run, snapshot);
  try {
    const unchanged = entry ? { ifMatch: entry.etag } : { ifNoneMatch: '*' as const };
    await putJson(deps.workspace, key, receipt, unchanged);
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
    // A predecessor that was thought dead was quicker, and later states may have added to its receipt: it counts.
    const theirs = await getJson(deps.workspace, schemaReceiptSchema, key);
    if (!isOf(snapshot, theirs)) throw error;
    return summary(theirs);
  }
  return summary(receipt);
}

/** A receipt of an earlier snapshot does not count: SchemaMovedError begins again with another one. */
const isOf = (snapshot: SnapshotRecord, receipt?: SchemaReceipt): receipt is SchemaReceipt =>
  receipt?.snapshot === snapshot.instant;

async function dumpAndWrite(
  deps: SchemaDeps,
  run: Run,
  snapshot: SnapshotRecord,
): Promise<SchemaReceipt> {
  const empty = { snapshot: snapshot.instant, objects: [], sections: [], pgDumpVersion: 'none' };
  if (run.input.filters.sections === 'data') return empty;
  const texts = await dumpUnmoved(deps, run, snapshot);
  const written: WrittenSection[] = [];
  for (const [index, name] of sections.entries()) {
    const text = `${sessionSettings}\n${texts[index]?.sql ?? ''}`;
    written.push(await writeTextObject(deps, run, name, text));
  }
  return withSections({ ...empty, pgDumpVersion: texts[0]?.pgDumpVersion ?? 'none' }, written);
}

/** The texts of both sections, when nothing moved meanwhile. */
async function dumpUnmoved(
  deps: SchemaDeps,
  run: Run,
  snapshot: SnapshotRecord,
): Promise<PlainSql[]> {
  const settings = await deps.connectionOf(run.input.source);
  const applicationName = applicationNameOf(run.runId, 'schema');
  await using guard = await openSession(settings, { applicationName, purpose: 'worker' });
  const before = await catalogHash(guard);
  await importSnapshot(guard, snapshot);
  const inSnapshot = await catalogHash(guard);
  if (before !== inSnapshot) throw moved('between the snapshot and the dump of the schema');

  // From here on a holder may die: pg_dump gets the snapshot from this session.
  const snapshotName = await exportSnapshot(guard);
  const texts: PlainSql[] = [];
  for (const section of sections) {
    deps.progress({ state: 'DumpSchema', message: section });
    await using session = await openSession(settings, { applicationName, purpose: 'worker' });
    texts.push(
      await dumpSection(session, {
        section,
        filters: run.input.filters,
        snapshotName,
        lockWaitMs: run.input.options.lockSeconds * 1_000,
      }),
    );
  }
  await guard.query('COMMIT');
  const after = await catalogHash(guard);
  if (after !== inSnapshot) throw moved('while the schema was dumped');
  return texts;
}

function moved(when: string): HoldfastError {
  return new HoldfastError(
    'SchemaMovedError',
    `Somebody changed the schema ${when}: types, tables, functions or other definitions are not the snapshot's.`,
  );
}

function summary(receipt: SchemaReceipt): OutputOf<'DumpSchema'> {
  const own = receipt.sections.filter(({ name }) => (sections as readonly string[]).includes(name));
  return {
    sections: own.length,
    rawBytes: own.reduce((sum, { segment }) => sum + segment.rawBytes, 0),
  };
}
