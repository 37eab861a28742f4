/**
 * CHECK constraints that call functions of the database's own: CreateTarget takes them off before the rows come, because
 * such a function may read a table that is loaded later, or need a search_path; a build puts them back and validates.
 *
 * Invariant: what is taken off was written down before, so that nothing is lost whatever dies.
 */
import { z } from 'zod';
import type { Workspace } from '../vault/vault.ts';
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

/** @returns those that count: these, or what an earlier attempt wrote */
export const writeDeferredChecks = (
  workspace: Workspace,
  runId: string,
  checks: readonly DeferredCheck[],
): Promise<DeferredCheck[]> => writeFact(workspace, runId, fact, deferredChecksSchema, [...checks]);

export const readDeferredChecks = async (
  workspace: Workspace,
  runId: string,
): Promise<DeferredCheck[]> => (await readFact(workspace, runId, fact, deferredChecksSchema)) ?? [];
