/** What the page says beyond the report: who asked, with what, from what; all of it recorded, none of it secret. */
import type { Deps } from '../../contract/deps.ts';
import type { RestoreRun } from '../../contract/restore.ts';

export interface Identity {
  readonly vault: string;
  readonly vaultId: string;
  /** Null: no manifest that could be trusted. */
  readonly manifestSha256: string | null;
  readonly sourceVersion: string | null;
  readonly requestedBy: { readonly user: string; readonly host: string };
  readonly tools: { readonly holdfast: string; readonly node: string };
  /** Of a partial restore: what was chosen, in words. */
  readonly selection: readonly string[];
  /** What the preflight expected, milliseconds. */
  readonly estimateMs: number | null;
  /** Of a drill: the signed record in the vault. */
  readonly evidence: string | null;
}

export function identityOf(
  deps: Pick<Deps, 'vault' | 'vaultId' | 'toolVersions'>,
  run: RestoreRun,
): Identity {
  return {
    vault: deps.vault.location,
    vaultId: deps.vaultId,
    manifestSha256: run.backup.manifestSha256,
    sourceVersion: sourceVersionOf(run),
    requestedBy: run.input.requestedBy,
    tools: deps.toolVersions,
    selection: selectionOf(run),
    estimateMs: Math.round(run.estimate.seconds * 1000),
    evidence: null,
  };
}

/** `180002` → `18.2`. */
export const sourceVersionOf = ({ backup: { serverVersionNum } }: RestoreRun): string =>
  `${Math.floor(serverVersionNum / 10_000)}.${serverVersionNum % 10_000}`;

function selectionOf({ input: { selection } }: RestoreRun): string[] {
  const { schemas, tables, where, onConflict, as, intoSchema, allowOrphans } = selection;
  return [
    ...schemas.map((pattern) => `schema ${pattern}`),
    ...tables.map((pattern) => `table ${pattern}`),
    ...(where === undefined ? [] : [`rows where ${where}`]),
    ...(as === undefined ? [] : [`as ${as}`]),
    ...(intoSchema === undefined ? [] : [`into schema ${intoSchema}`]),
    ...(onConflict === undefined ? [] : [`on conflict: ${onConflict}`]),
    ...(allowOrphans ? ['rows without a parent allowed'] : []),
  ];
}
