import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { BuildDraft } from '../../core/restore/builds/draft.ts';
import { coresOf, oneProcessEach } from '../../core/restore/builds/parallel-workers.ts';

const build = (kind: BuildDraft['kind'], name: string): BuildDraft => ({
  kind,
  label: name,
  object: null,
  statements: [name],
});
const wave = [build('index', 'a'), build('index', 'b'), build('analyze', 'c'), build('index', 'd')];
const alone = 'SET max_parallel_maintenance_workers = 0';
const statementsOf = (jobs: number, cores: number | undefined, builds = wave) =>
  oneProcessEach(builds, jobs, cores).map(({ statements }) => statements);

describe("PostgreSQL's own parallel workers", () => {
  it('are switched off for indexes when the builds side by side keep all cores busy', () => {
    expect(statementsOf(2, 2)).toEqual([[alone, 'a'], [alone, 'b'], ['c'], [alone, 'd']]);
  });

  it('help what is left over when connections run out of work', () => {
    const three = [build('index', 'a'), build('index', 'b'), build('index', 'c')];
    expect(statementsOf(2, 2, three)).toEqual([[alone, 'a'], [alone, 'b'], ['c']]);
    expect(statementsOf(8, 2, three)).toEqual([['a'], ['b'], ['c']]);
  });

  it('stay as the server has them when it has more cores than builds, or nobody knows how many', () => {
    expect(statementsOf(2, 4)).toEqual([['a'], ['b'], ['c'], ['d']]);
    expect(statementsOf(2, undefined)).toEqual([['a'], ['b'], ['c'], ['d']]);
  });

  it('are judged by the cores of this machine only when the server runs on it', () => {
    for (const host of ['127.0.0.1', 'localhost', '::1', '/var/run/postgresql']) {
      expect(coresOf({ host })).toBe(availableParallelism());
    }
    for (const host of ['db.example.com', '10.0.0.1', 'localhost.example.com']) {
      expect(coresOf({ host })).toBeUndefined();
    }
  });
});
