/**
 * CHECK constraints that call functions of the database's own: CreateTarget takes them off before the rows come, because
 * such a function may read a table that is loaded later, or need a search_path; a build puts them back and validates.
 *
 * Invariants: what is taken off was written down before, so that nothing is lost whatever dies; it is written encrypted
 * with the key of the backups, because a condition may hold a secret as any definition may.
 */
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import type { RestoreRun } from '../contract/restore.ts';
import type { EncryptionContext } from '../keyring/key-ring.ts';
import { decodeJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { readFact, writeFact } from './restore-run.ts';

export const deferredCheckSchema = z.strictObject({
  /** Of the table or domain. */
  schema: z.string(),
  table: z.string().nullable(),
  domain: z.string().nullable(),
  name: z.string(),
  /** `CHECK (…)`, with NO INHERIT when it has it. Functions are named with their schemas. */
  definition: z.string(),
  comment: z.string().nullable(),
  /** Its own: what a table only inherits is not here, it comes back with its parent's. */
  isLocal: z.boolean(),
  isNoInherit: z.boolean(),
});
export type DeferredCheck = z.infer<typeof deferredCheckSchema>;

/** Parents before their children: in this order they can be taken off and put back. */
export const deferredChecksSchema = z.array(deferredCheckSchema);

const fact = 'deferred-checks';
const sealedSchema = z.strictObject({ sealed: z.base64() });

export type DeferredCheckDeps = Pick<Deps, 'workspace' | 'vaultId' | 'keyRing'>;
type Run = Pick<RestoreRun, 'runId' | 'backup'>;

/** @returns those that count: these, or what an earlier attempt wrote */
export async function writeDeferredChecks(
  deps: DeferredCheckDeps,
  run: Run,
  checks: readonly DeferredCheck[],
): Promise<DeferredCheck[]> {
  const mine = { sealed: await seal(deps, run, JSON.stringify(checks)) };
  return opened(deps, run, await writeFact(deps.workspace, run.runId, fact, sealedSchema, mine));
}

export async function readDeferredChecks(
  deps: DeferredCheckDeps,
  run: Run,
): Promise<DeferredCheck[]> {
  const sealed = await readFact(deps.workspace, run.runId, fact, sealedSchema);
  return sealed === undefined ? [] : opened(deps, run, sealed);
}

const contextOf = ({ vaultId }: DeferredCheckDeps, { runId, backup }: Run): EncryptionContext => ({
  ...{ vault: vaultId, source: backup.source, backup: backup.backupId },
  object: workspaceKeys.restoreFact(runId, fact),
});

async function seal(deps: DeferredCheckDeps, run: Run, text: string): Promise<string> {
  const plain = Buffer.from(text);
  const sealing = deps.keyRing.encryptObject(contextOf(deps, run), plain.length).openSegment();
  sealing.end(plain);
  return (await buffer(sealing)).toString('base64');
}

async function opened(
  deps: DeferredCheckDeps,
  run: Run,
  { sealed }: z.infer<typeof sealedSchema>,
): Promise<DeferredCheck[]> {
  const opening = deps.keyRing.decryptSegment(contextOf(deps, run));
  opening.end(Buffer.from(sealed, 'base64'));
  const plain = await buffer(opening);
  return decodeJson(deferredChecksSchema, plain, workspaceKeys.restoreFact(run.runId, fact));
}
