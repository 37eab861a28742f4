/**
 * What is begun once: the first who asks may begin, and whoever comes later knows that it was begun.
 *
 * Invariant: of all attempts one is told so, also when the answer to its write was lost and the write is done again.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { writeFact } from './restore-run.ts';

/** @returns is it this attempt that begins? */
export async function claim(
  { workspace }: Pick<Deps, 'workspace'>,
  runId: string,
  fact: string,
): Promise<boolean> {
  const mine = randomUUID();
  return (await writeFact(workspace, runId, fact, z.string(), mine)) === mine;
}
