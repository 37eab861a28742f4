/**
 * Makes dist/lambda/: one folder that is the code of every function. Each handler is an entry point; what they share, npm
 * packages among it, is split into chunks beside them.
 *
 * Invariant: it needs nothing outside of itself but Node: `test/lambdas/bundle.test.ts` loads it from a copy. Flat, for
 * the same reason as dist/.
 */
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const require = createRequire(import.meta.url);
const pgDump = dirname(require.resolve('@electric-sql/pglite-tools/pg_dump'));

const assets = [join(root, 'core/fingerprint/fingerprint.wasm'), join(pgDump, 'pg_dump.wasm')];

/** Of a handler: `export const handler`. The other files of lambdas/ are parts of them. */
export const handlerFiles = (): string[] =>
  readdirSync(join(root, 'lambdas'))
    .filter((file) =>
      readFileSync(join(root, 'lambdas', file), 'utf8').includes('export const handler = '),
    )
    .sort();

/**
 * Packages in CommonJS ask for `require`, which a module does not have. Node tells nobody what is deprecated within
 * node_modules; bundled it would, in lines of the log that are no JSON.
 */
const banner = `import { createRequire as __requireOf } from 'node:module';
const require = __requireOf(import.meta.url);
process.noDeprecation = true;`;

/** @param more entry points beside the handlers, for tests */
export async function bundleLambdas(
  outdir: string = join(root, 'dist/lambda'),
  more: readonly string[] = [],
): Promise<void> {
  rmSync(outdir, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: [
      ...handlerFiles().map((file) => `lambdas/${file}`),
      'core/schema/pg-dump-thread.ts',
      ...more,
    ],
    entryNames: '[name]',
    chunkNames: 'chunk-[hash]',
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // Names stay: errors are caught by them, and a stack is read by people.
    minifyWhitespace: true,
    minifySyntax: true,
    // For stacks of lines in chunks. Without the sources: whoever reads a stack has them.
    sourcemap: true,
    sourcesContent: false,
    // node-postgres tries it and goes on without.
    external: ['pg-native'],
    banner: { js: banner },
    logLevel: 'warning',
  });
  for (const file of readdirSync(outdir).filter((each) => each.endsWith('.js.map'))) {
    nameSources(join(outdir, file));
  }
  for (const asset of assets) copyFileSync(asset, join(outdir, basename(asset)));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  // `.js` is a module only where this says so; the version is for the manifest.
  const description = { name: 'holdfast-lambda', version, type: 'module', private: true };
  writeFileSync(join(outdir, 'package.json'), `${JSON.stringify(description, null, 2)}\n`);
}

/** `core/vault/json.ts`, `node_modules/pg/lib/client.js`: by where it is in the checkout, wherever that and `file` are. */
function nameSources(file: string): void {
  const map = JSON.parse(readFileSync(file, 'utf8')) as { sources: string[] };
  const sources = map.sources.map((source) => {
    const path = relative(root, resolve(dirname(file), source));
    const at = path.indexOf('node_modules/');
    return at > 0 ? path.slice(at) : path;
  });
  writeFileSync(file, JSON.stringify({ ...map, sources }));
}
