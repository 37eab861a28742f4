/**
 * The texts behind the references of builds.
 *
 * Invariant: post-data is read, authenticated and cut up once per process and restore, not once per build: a restore may
 * have ten thousand of them. The latest restore's is kept; it is in memory only.
 */
import type { Deps } from '../../contract/deps.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import type { SchemaEntry } from '../../schema/split-entries.ts';
import type { Vault } from '../../vault/vault.ts';
import { readDeferredChecks } from '../deferred-checks.ts';
import { entriesOf } from '../definitions.ts';
import type { Texts } from './references.ts';

interface Known {
  readonly key: string;
  readonly entries: Promise<readonly SchemaEntry[]>;
}

const latest = new WeakMap<Vault, Known>();

/** @throws what reading the backup throws, when a reference is resolved */
export const textsOf = (deps: Deps, run: RestoreRun): Texts => ({
  entries: () => postDataOf(deps, run),
  checks: () => readDeferredChecks(deps, run),
});

function postDataOf(deps: Deps, run: RestoreRun): Promise<readonly SchemaEntry[]> {
  const { source, backupId, manifestSha256 } = run.backup;
  // The role options change the statements.
  const key = JSON.stringify([source, backupId, manifestSha256, run.input.roles]);
  const known = latest.get(deps.vault);
  if (known?.key === key) return known.entries;
  const entries = entriesOf(deps, run, 'post-data');
  latest.set(deps.vault, { key, entries });
  // The next build tries again.
  entries.catch(() => {
    if (latest.get(deps.vault)?.entries === entries) latest.delete(deps.vault);
  });
  return entries;
}
