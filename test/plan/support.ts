/** A run whose snapshot is held and whose schema is dumped: what PlanUnits finds. */
import type { Deps, Progress } from '../../core/contract/deps.ts';
import {
  type InventoryRecord,
  inventoryRecordSchema,
  type SchemaReceipt,
  type Slice,
  schemaReceiptSchema,
  unitSchema,
} from '../../core/contract/plan.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { holdSnapshot } from '../../core/snapshot/hold-snapshot.ts';
import { readSnapshot } from '../../core/snapshot/marks.ts';
import { releaseSnapshot } from '../../core/snapshot/release-snapshot.ts';
import { decodeJson, putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { sampleRun } from '../snapshot/support.ts';
import { sampleVault } from '../support/sample-backup.ts';

export type TableSlice = Extract<Slice, { of: 'table' }>;

export interface PlannedRun extends AsyncDisposable {
  readonly runId: string;
  readonly deps: Deps;
  readonly events: Progress[];
}

/** @param folder a fresh one: vault and workspace go there */
export async function heldRun(
  folder: string,
  settings: ConnectionSettings,
  input: { filters?: object; options?: object } = {},
): Promise<PlannedRun> {
  const sample = await sampleVault(`${folder}/sample`);
  const { runId, deps, messages } = await sampleRun(`${folder}/workspace`, settings, input);
  const all: Deps = { ...sample.deps, ...deps, vault: sample.vault, keyRing: sample.keyRing };
  await holdSnapshot(all, { runId, attempt: 1 });
  const { instant } = await readSnapshot(all.workspace, runId);
  const empty: SchemaReceipt = {
    snapshot: instant,
    objects: [],
    sections: [],
    pgDumpVersion: '18',
  };
  await putJson(all.workspace, workspaceKeys.schema(runId), empty);
  return {
    runId,
    deps: all,
    events: messages,
    async [Symbol.asyncDispose]() {
      await releaseSnapshot(all, { runId });
    },
  };
}

export async function readPlan(
  { deps, runId }: PlannedRun,
  units: readonly number[],
): Promise<{ record: InventoryRecord; schema: SchemaReceipt; units: Slice[][] }> {
  const read = async <T>(schema: Parameters<typeof decodeJson<T>>[0], key: string) => {
    const entry = await deps.workspace.get(key);
    if (entry === undefined) throw new Error(`no ${key}`);
    return decodeJson(schema, entry.body, key);
  };
  return {
    record: await read(inventoryRecordSchema, workspaceKeys.inventory(runId)),
    schema: await read(schemaReceiptSchema, workspaceKeys.schema(runId)),
    units: await Promise.all(
      units.map(
        async (unit) => (await read(unitSchema, workspaceKeys.unit(runId, unit, 0))).slices,
      ),
    ),
  };
}

export const tableSlices = (units: readonly Slice[][]): TableSlice[] =>
  units.flat().filter((slice) => slice.of === 'table');
