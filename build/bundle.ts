/**
 * Makes dist/: a flat folder, a file per entry point and the chunks they share, npm packages left outside; and in it lambda/ (lambda-bundle.ts).
 *
 * Flat, because modules find their worker, thread and WebAssembly beside themselves by `import.meta.url`,
 * both in the source tree and here. Split, because what is imported lazily (the AWS SDK) would be loaded by every start.
 */
import { chmodSync, copyFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { bundleLambdas } from './lambda-bundle.ts';

const root = join(import.meta.dirname, '..');
const outdir = join(root, 'dist');
const entries = [
  'index.ts',
  'cli/holdfast.ts',
  'cli/main.ts',
  'local/engine/worker.ts',
  'core/schema/pg-dump-thread.ts',
];
const assets = ['core/fingerprint/fingerprint.wasm'];

rmSync(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: entries,
  entryNames: '[name]',
  outdir,
  bundle: true,
  format: 'esm',
  splitting: true,
  platform: 'node',
  target: 'node24',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
});
for (const asset of assets) copyFileSync(join(root, asset), join(outdir, basename(asset)));
chmodSync(join(outdir, 'holdfast.js'), 0o755);
await bundleLambdas();
