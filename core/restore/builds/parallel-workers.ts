/**
 * When an index is built by one process of the server: as soon as builds side by side keep all its cores busy.
 *
 * PostgreSQL's own parallel workers hand rows over to their leader, which costs an eighth more CPU time than one process
 * that sorts alone (measured, docs/performance.md); they pay where cores would be idle. Invariant: where the number of
 * cores is not known, the server's own setting stays.
 */
import { availableParallelism } from 'node:os';
import type { Wave } from './draft.ts';

const alone = 'SET max_parallel_maintenance_workers = 0';
const loopback = /^(localhost$|127\.|::1$|\/)/;

/** @returns cores of the server, as far as its clients can know: when it runs on this machine */
export const coresOf = ({ host }: { readonly host: string }): number | undefined =>
  loopback.test(host) ? availableParallelism() : undefined;

/** Builds that are left over for the end of the wave, when connections have no work any more, are helped. */
export function oneProcessEach(wave: Wave, jobs: number, cores: number | undefined): Wave {
  if (cores === undefined || jobs < cores) return wave;
  const full = Math.floor(wave.length / jobs) * jobs;
  return wave.map((draft, at) =>
    draft.kind === 'index' && at < full
      ? { ...draft, statements: [alone, ...draft.statements] }
      : draft,
  );
}
