/**
 * The state DumpUnit: the rows of one unit, in the run's snapshot, into one object of the vault.
 *
 * Invariant: the receipt is the commit mark, written once, after the object is complete. An attempt that finds it
 * returns its facts and does nothing; an attempt that is killed leaves an object that nothing refers to.
 */
import { randomBytes } from 'node:crypto';
import type { Deps } from '../contract/deps.ts';
import { isHoldfastError } from '../contract/errors.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import {
  type Receipt,
  type Run,
  receiptSchema,
  type Slice,
  type SnapshotRecord,
} from '../contract/plan.ts';
import { applicationNameOf } from '../postgres/application-name.ts';
import { openSession, type Session } from '../postgres/session.ts';
import { taskSecondsOf } from '../run/task-time.ts';
import { unitLabel } from '../run/unit-label.ts';
import { AbortWatch } from '../snapshot/abort-watch.ts';
import { readRun, readSnapshot, throwIfAborted } from '../snapshot/marks.ts';
import { requireUnchanged } from '../snapshot/unchanged-tables.ts';
import { getJson, putJson } from '../vault/json.ts';
import { vaultKeys, workspaceKeys } from '../vault/keys.ts';
import { markBinary, readBinaryMarks, withBinaryMarks } from './binary-marks.ts';
import { ProgressMeter } from './progress-meter.ts';
import { isDivisible, readUnit, writeRemainder } from './remainder.ts';
import { SliceStream } from './slice-stream.ts';
import { blocksOf, distinctTables, openWorkerSession } from './worker-session.ts';

/** Of `taskSeconds`: then no slice is begun, and one that can be cut is given up. The rest is for commit and receipt. */
const shareForSlices = 0.9;
/** The key ring wants an upper bound of what it encrypts; estimates are of pages on disk, before TOAST is unpacked. */
const leastPlaintextBound = 2 ** 36;
const boundPerEstimatedByte = 16;

interface Work {
  readonly run: Run;
  readonly snapshot: SnapshotRecord;
  readonly unit: number;
  readonly part: number;
  readonly startedMs: number;
}

/**
 * @throws RunAbortedError, SnapshotLostError, TableChangedError, LockNotAvailableError, ConnectionLostError,
 * CopyIncompleteError, CopyFailedError, EncodingError, PermissionDeniedError, RowSecurityError, VaultFullError …
 */
export async function dumpUnit(
  deps: Deps,
  { runId, unit, part }: InputOf<'DumpUnit'>,
): Promise<OutputOf<'DumpUnit'>> {
  const startedMs = performance.now();
  const key = workspaceKeys.receipt(runId, unit, part);
  const earlier = await getJson(deps.workspace, receiptSchema, key);
  const run = await readRun(deps.workspace, runId);
  if (earlier !== undefined) return conclude(deps, run, earlier);
  await throwIfAborted(deps.workspace, runId);
  const snapshot = await readSnapshot(deps.workspace, runId);
  const work: Work = { run, snapshot, unit, part, startedMs };
  const receipt = await dumpInOneFormat(deps, work);
  try {
    await putJson(deps.workspace, key, receipt, { ifNoneMatch: '*' });
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
    // Another attempt of this part was quicker; its receipt counts, our object ages out.
    const theirs = await getJson(deps.workspace, receiptSchema, key);
    if (theirs === undefined) throw error;
    return conclude(deps, run, theirs);
  }
  return conclude(deps, run, receipt);
}

async function conclude(deps: Deps, run: Run, receipt: Receipt): Promise<OutputOf<'DumpUnit'>> {
  if (receipt.hasRemainder) {
    await writeRemainder(deps.workspace, run.runId, receipt, async (oid) => {
      const settings = await deps.connectionOf(run.input.source);
      const applicationName = applicationNameOf(run.runId, `blocks-${receipt.unit}`);
      await using session = await openSession(settings, { applicationName, purpose: 'worker' });
      // Awaited here: the session ends with this function.
      return await blocksOf(session, oid);
    });
  }
  const names = receipt.segments.map(({ slice }) =>
    slice.of === 'table' ? `${slice.schema}.${slice.name}` : 'large objects',
  );
  return {
    of: unitLabel(names),
    part: receipt.part,
    hasRemainder: receipt.hasRemainder,
    rows: receipt.segments.reduce((sum, { segment }) => sum + segment.rows, 0),
    storedBytes: receipt.object.storedBytes,
  };
}

/** A row beyond 1 GB of text is found only by trying: the object is begun anew with its table as binary. */
async function dumpInOneFormat(deps: Deps, work: Work): Promise<Receipt> {
  const { run, unit, part } = work;
  const { slices } = await readUnit(deps.workspace, run.runId, unit, part);
  for (;;) {
    const marks = await readBinaryMarks(deps.workspace, run.runId);
    const tooLarge = { oid: undefined as number | undefined };
    try {
      const todo = withBinaryMarks(slices, { unit, part }, marks);
      return await dumpObject(deps, work, todo, (slice) => {
        if (slice.of === 'table') tooLarge.oid = slice.oid;
      });
    } catch (error) {
      if (!isHoldfastError(error, 'RowTooLargeForTextError') || tooLarge.oid === undefined)
        throw error;
      await markBinary(deps.workspace, run.runId, tooLarge.oid, { unit, part });
    }
  }
}

async function dumpObject(
  deps: Deps,
  work: Work,
  slices: readonly Slice[],
  onSlice: (slice: Slice) => void,
): Promise<Receipt> {
  const { run, snapshot, unit, part } = work;
  const { source } = run.input;
  const random = randomBytes(5).toString('hex');
  const key = vaultKeys.data(source, run.backupId, unit, part, random);
  const applicationName = applicationNameOf(run.runId, `unit-${unit}`);
  const settings = await deps.connectionOf(source);
  const session = await openWorkerSession(settings, applicationName, snapshot, slices);
  const stop = stopper(session);
  const watch = new AbortWatch(deps.workspace, run.runId, stop);
  let stream: SliceStream;
  let receipt: Receipt;
  try {
    const writer = await deps.vault.openWriter(key, { tags: { 'holdfast-tier': 'staged' } });
    try {
      const encryptor = deps.keyRing.encryptObject(
        { vault: deps.vaultId, source, backup: run.backupId, object: key },
        plaintextBound(slices),
      );
      stream = new SliceStream(session, encryptor, writer, snapshot.rowSecurityOnFor);
      const hasRemainder = await dumpSlices(deps, work, stop, stream, slices, onSlice);
      // A session that was given up cannot be asked: ReleaseSnapshot asks for all.
      if (!hasRemainder) await requireUnchanged(session, distinctTables(slices));
      const { versionId, storedBytes, sha256 } = await writer.commit();
      receipt = {
        unit,
        part,
        object: { key, versionId, storedBytes, sha256 },
        segments: stream.segments,
        hasRemainder,
        durationMs: Math.round(performance.now() - work.startedMs),
      };
    } catch (error) {
      await writer.abort();
      throw error;
    }
  } catch (error) {
    throw watch.error ?? error;
  } finally {
    watch.stop();
    await session.close();
  }
  if (!receipt.hasRemainder) stream.close();
  return receipt;
}

const plaintextBound = (slices: readonly Slice[]) =>
  Math.max(
    leastPlaintextBound,
    boundPerEstimatedByte * slices.reduce((sum, { estimatedBytes }) => sum + estimatedBytes, 0),
  );

/** Ends all work of a unit at once: both ends of the stream, because either may be the one that is waited for. */
interface Stopper {
  (): void;
  readonly signal: AbortSignal;
}

function stopper(session: Session): Stopper {
  const controller = new AbortController();
  const stop = () => {
    session.destroy();
    controller.abort();
  };
  return Object.assign(stop, { signal: controller.signal });
}

/** @returns whether slices are left for the next part */
async function dumpSlices(
  deps: Deps,
  work: Work,
  stop: Stopper,
  stream: SliceStream,
  slices: readonly Slice[],
  onSlice: (slice: Slice) => void,
): Promise<boolean> {
  const meter = new ProgressMeter(work.unit, deps.progress, () => stream.reading());
  const endMs =
    work.startedMs + taskSecondsOf(deps, work.run.input.options) * 1_000 * shareForSlices;
  try {
    for (const [index, slice] of slices.entries()) {
      if (index > 0 && performance.now() > endMs) return true;
      onSlice(slice);
      const mayGiveUp = index > 0 || isDivisible(slice);
      const dumping = () => stream.dump(slice, stop.signal);
      if (!(await isDoneBy(mayGiveUp ? endMs : Number.POSITIVE_INFINITY, stop, dumping)))
        return true;
    }
    return false;
  } finally {
    meter.stop();
  }
}

/** @returns false when the time was over before the work: then it was stopped */
async function isDoneBy(endMs: number, stop: Stopper, work: () => Promise<void>): Promise<boolean> {
  if (endMs === Number.POSITIVE_INFINITY) {
    await work();
    return true;
  }
  let isOver = false;
  const onEnd = () => {
    isOver = true;
    stop();
  };
  const timer = setTimeout(onEnd, Math.max(1, endMs - performance.now()));
  try {
    await work();
    return true;
  } catch (error) {
    if (isOver) return false;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
