/**
 * The state Seal: from the receipts to the signed manifest, whose presence is the commit mark of the backup.
 *
 * Invariant: it is written last, signature first, and only by the run that still has the lease. A second attempt signs
 * and writes the very bytes of the first (they are kept as a draft in the workspace).
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import { scopeOf } from '../contract/filters.ts';
import { type Manifest, manifestSchema } from '../contract/manifest.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import { inventoryRecordSchema, type Run, schemaReceiptSchema } from '../contract/plan.ts';
import { decodeSignature, encodeSignature } from '../evidence/signature-file.ts';
import { assertLease } from '../run/lease.ts';
import { readPhases } from '../run/phases.ts';
import { readRun, readSnapshot } from '../snapshot/marks.ts';
import { decodeJson, encodeJson, getJson } from '../vault/json.ts';
import { vaultKeys, workspaceKeys } from '../vault/keys.ts';
import { assemble } from './assemble.ts';
import { readCompletedUnits } from './receipts.ts';

const staged = { tags: { 'holdfast-tier': 'staged' } };

/** @throws IncompleteBackupError; LeaseHeldError when another run took over meanwhile; VaultIoError … */
export async function sealBackup(
  deps: Deps,
  { runId }: InputOf<'Seal'>,
): Promise<OutputOf<'Seal'>> {
  const run = await readRun(deps.workspace, runId);
  const body = await draftOf(deps, run);
  const manifest = decodeJson(manifestSchema, body, workspaceKeys.draft(runId));
  const { source } = run.input;

  await assertLease(deps, run);
  await putSignature(deps, vaultKeys.signature(source, run.backupId), body);
  await putOnce(deps, vaultKeys.manifest(source, run.backupId), body);
  return {
    backupId: run.backupId,
    objects: [...manifest.objects.keys()],
    tables: manifest.totals.tables,
    rows: manifest.totals.rows,
    storedBytes: manifest.totals.storedBytes,
  };
}

async function draftOf(deps: Deps, run: Run): Promise<Uint8Array> {
  const key = workspaceKeys.draft(run.runId);
  const earlier = await deps.workspace.get(key);
  if (earlier !== undefined) return earlier.body;
  const body = encodeJson(manifestSchema.parse(await buildManifest(deps, run)));
  try {
    await deps.workspace.put(key, body, { ifNoneMatch: '*' });
    return body;
  } catch (error) {
    const theirs = await deps.workspace.get(key);
    if (!isHoldfastError(error, 'PreconditionFailedError') || theirs === undefined) throw error;
    return theirs.body;
  }
}

async function buildManifest(deps: Deps, run: Run): Promise<Manifest> {
  const { runId, input, server } = run;
  const snapshot = await readSnapshot(deps.workspace, runId);
  const planned = await getJson(
    deps.workspace,
    inventoryRecordSchema,
    workspaceKeys.inventory(runId),
  );
  const schema = await getJson(deps.workspace, schemaReceiptSchema, workspaceKeys.schema(runId));
  if (planned === undefined || schema === undefined) {
    throw new HoldfastError(
      'IncompleteBackupError',
      `The run ${runId} has no ${planned === undefined ? 'inventory' : 'schema'}.`,
    );
  }
  const { tables, units, chunkBytes, inventory, warnings } = planned;
  const contents = assemble(tables, schema, await readCompletedUnits(deps, runId, units));
  const { suite, wrapping, encryptionKeyId, signingKeyId } = deps.keyRing;
  return {
    formatVersion: 1,
    backupId: run.backupId,
    vaultId: run.vaultId,
    runId,
    ...(input.setId === undefined ? {} : { setId: input.setId }),
    tier: input.tier,
    labels: input.labels,
    source: {
      kind: 'postgres',
      name: input.source,
      host: server.host,
      port: server.port,
      serverVersion: server.version,
      serverVersionNum: server.versionNum,
    },
    scope: scopeOf(input.filters),
    filters: input.filters,
    snapshot: { instant: snapshot.instant, lsn: snapshot.lsn, name: snapshot.name },
    startedAt: run.startedAt,
    sealedAt: deps.now().toISOString(),
    createdBy: input.requestedBy,
    encryption: { suite, wrapping, keyId: encryptionKeyId },
    signingKeyId,
    compression: { algorithm: 'zstd', level: 1 },
    fingerprintAlgorithm: 'xxh64x2-sum128',
    inventory,
    ...contents,
    plan: { units, chunkBytes },
    phases: await readPhases(deps, runId),
    warnings: [...run.warnings, ...warnings],
    tools: { ...deps.toolVersions, pgDump: schema.pgDumpVersion },
  };
}

async function putSignature(deps: Deps, key: string, body: Uint8Array): Promise<void> {
  const signature = encodeSignature(await deps.keyRing.sign(body));
  try {
    await deps.vault.put(key, signature, staged);
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
    // Of an earlier attempt. ECDSA gives another value each time: it need not be equal, but good.
    await deps.keyRing.verify(body, decodeSignature(await deps.vault.get(key), key));
  }
}

async function putOnce(deps: Deps, key: string, body: Uint8Array): Promise<void> {
  try {
    await deps.vault.put(key, body, staged);
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
    if (Buffer.compare(await deps.vault.get(key), body) !== 0) throw error;
  }
}
