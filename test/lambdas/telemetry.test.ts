/** What a function writes to its log: read from the output of a process, as CloudWatch does. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

async function linesOf(program: string): Promise<Record<string, unknown>[]> {
  const source = `
    import { openTelemetry } from './lambdas/telemetry.ts';
    const { logger, metric, progress } = openTelemetry('DumpUnit', 'prod');
    ${program}`;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', source],
    { cwd: root, env: {} },
  );
  return `${stdout}\n${stderr}`
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

it('writes a metric with exactly its dimensions and the environment, in the format of CloudWatch', async () => {
  const [line, ...more] = await linesOf(`metric('SealedAge', 4711, { source: 'shop' });`);
  expect(more).toEqual([]);
  expect(line).toMatchObject({ SealedAge: 4711, source: 'shop', environment: 'prod' });
  expect(line?.['_aws']).toMatchObject({
    CloudWatchMetrics: [
      {
        Namespace: 'Holdfast',
        Dimensions: [['source', 'environment']],
        Metrics: [{ Name: 'SealedAge', Unit: 'Seconds' }],
      },
    ],
  });
});

it('keeps each of many metrics of one call', async () => {
  const lines = await linesOf(`
    for (const source of ['a', 'b']) metric('BackupPublished', 1, { source });
    metric('BackupRows', 12, { source: 'a' });`);
  expect(
    lines.map(({ source, BackupPublished, BackupRows }) => [source, BackupPublished, BackupRows]),
  ).toEqual([
    ['a', 1, undefined],
    ['b', 1, undefined],
    ['a', undefined, 12],
  ]);
});

it('masks secrets in messages, fields and errors, and tells messages but not bytes', async () => {
  const lines = await linesOf(`
    const url = 'postgres://dumper:s3cret@db/shop';
    progress({ state: 'DumpUnit', rawBytes: 1 });
    progress({ state: 'DumpUnit', message: 'lost ' + url });
    logger.error('failed over ' + url, { failure: { evidence: { url } } });
    logger.error('thrown', new Error('at ' + url));`);
  expect(lines).toHaveLength(3);
  expect(JSON.stringify(lines)).not.toContain('s3cret');
  expect(lines[0]).toMatchObject({ level: 'INFO', service: 'DumpUnit', environment: 'prod' });
});
