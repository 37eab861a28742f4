/** What the page says beyond the report: who asked, with what, from what; all of it recorded, none of it secret. */
import { z } from 'zod';
import type { Deps } from '../../contract/deps.ts';
import type { RestoreRun } from '../../contract/restore.ts';

export const identitySchema = z.strictObject({
  vault: z.string(),
  vaultId: z.string(),
  /** Null: no manifest that could be trusted. */
  manifestSha256: z.string().nullable(),
  sourceVersion: z.string().nullable(),
  requestedBy: z.strictObject({ user: z.string(), host: z.string() }),
  tools: z.strictObject({ holdfast: z.string(), node: z.string() }),
  /** Of a partial restore: what was chosen, in words. */
  selection: z.array(z.string()),
  /** What the preflight expected, milliseconds. */
  estimateMs: z.number().nullable(),
  /** Of a drill: the signed record in the vault. */
  evidence: z.string().nullable(),
});
export type Identity = z.infer<typeof identitySchema>;

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
