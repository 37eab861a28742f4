/** `loaded/<unit>.json`: a unit whose items are all done, and what reading them has cost. */
import { z } from 'zod';
import type { Deps } from '../../contract/deps.ts';
import { getJson, putJson } from '../../vault/json.ts';
import { workspaceKeys } from '../../vault/keys.ts';

const count = z.int().nonnegative();

export const loadedUnitSchema = z.strictObject({
  unit: count,
  rows: count,
  rawBytes: count,
  /** Stored bytes of its segments, read from the vault. */
  readBytes: count,
});
export type LoadedUnit = z.infer<typeof loadedUnitSchema>;

export const readLoaded = (
  { workspace }: Pick<Deps, 'workspace'>,
  runId: string,
  unit: number,
): Promise<LoadedUnit | undefined> =>
  getJson(workspace, loadedUnitSchema, workspaceKeys.restorePart(runId, 'loaded', unit));

export async function writeLoaded(
  { workspace }: Pick<Deps, 'workspace'>,
  runId: string,
  loaded: LoadedUnit,
): Promise<void> {
  await putJson(workspace, workspaceKeys.restorePart(runId, 'loaded', loaded.unit), loaded);
}
