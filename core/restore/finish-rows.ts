/**
 * The state FinishRows: what belongs to the rows and is in no table: where sequences stood; owners, rights and comments of
 * large objects.
 *
 * Invariant: safe to run twice, and after a stop at any point. A restore into an existing database has neither: its merge
 * sets the sequences of the tables it makes.
 */
import type { Deps } from '../contract/deps.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import type { RestoreRun } from '../contract/restore.ts';
import { applicationNameOf } from '../postgres/application-name.ts';
import { endPredecessors } from '../postgres/end-predecessors.ts';
import type { Session } from '../postgres/session.ts';
import { manifestOf } from './definitions.ts';
import { duringRestore } from './during-restore.ts';
import {
  copyMetadata,
  metadataTable,
  readRows,
  statementsFor,
} from './load/large-object-metadata.ts';
import { copyChecked } from './load/load-item.ts';
import { setSequences } from './load/set-sequences.ts';
import { asTargetError } from './load/target-errors.ts';
import { once } from './progress.ts';
import { openTarget } from './target-session.ts';

const what = 'finish-rows';
/** Of each, one to three locks are held; the smallest lock table takes a few thousand. */
const objectsAtOnce = 500;

/** @throws RunAbortedError, ConnectionLostError, TargetFullError, RestoreStatementError, DecryptionError … */
export function finishRows(
  deps: Deps,
  { runId }: InputOf<'FinishRows'>,
): Promise<OutputOf<'FinishRows'>> {
  return duringRestore(deps, runId, 'load', async (run, signal) => {
    if (run.input.mode === 'into') return { sequences: 0, largeObjects: 0 };
    const manifest = await manifestOf(deps, run);
    await using session = await openTarget(deps, run, what);
    await endPredecessors(session, applicationNameOf(runId, what));
    const stop = () => session.destroy();
    signal.addEventListener('abort', stop);
    try {
      const sequences = await setSequences(session, manifest.inventory.sequences);
      return { sequences, largeObjects: await finishLargeObjects(deps, session, run, manifest) };
    } catch (error) {
      signal.throwIfAborted();
      throw asTargetError(error, 'Finishing the rows');
    } finally {
      signal.removeEventListener('abort', stop);
    }
  });
}

async function finishLargeObjects(
  deps: Deps,
  session: Session,
  run: RestoreRun,
  manifest: Manifest,
): Promise<number> {
  const { segments, rows } = manifest.largeObjects.metadata;
  for (const [index, segment] of segments.entries()) {
    const request = { sql: copyMetadata, format: segment.format, what: 'Loading large objects' };
    const context = { deps, manifest, onSent: () => {} };
    await session.query(`BEGIN; ${metadataTable}; TRUNCATE pg_temp.holdfast_large_objects`);
    await copyChecked(session, context, segment, request);
    await session.query('COMMIT');
    await applyMetadata(session, run, index);
  }
  return rows;
}

async function applyMetadata(session: Session, run: RestoreRun, segment: number): Promise<void> {
  for (let after = 0; ; ) {
    const rows = await readRows(session, after, objectsAtOnce);
    const last = rows.at(-1);
    if (last === undefined) return;
    await once(session, run, `large-objects:metadata:${segment}:${after}`, async () => {
      const statements = rows.flatMap((row) =>
        statementsFor(row, row.presentOwner, run.input.roles),
      );
      if (statements.length > 0) await session.query(statements.join(';\n'));
      return rows.length;
    });
    after = last.oid;
  }
}
