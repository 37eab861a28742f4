/**
 * What runs on a person's machine, as a flat folder: a file per entry point and the chunks they share.
 *
 * Flat, because modules find their worker, thread and WebAssembly beside themselves by `import.meta.url`,
 * both in the source tree and here. Split, because what is imported lazily (the AWS SDK) would be loaded by every start.
 * Package and state machines are looked for in the folder above.
 */
import { copyFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const entries = [
  'index.ts',
  'cli/holdfast.ts',
  'cli/main.ts',
  'local/engine/worker.ts',
  'core/schema/pg-dump-thread.ts',
];
const assets = ['core/fingerprint/fingerprint.wasm'];

/**
 * @param more by default npm packages are left outside
 * @param programs entry points beside the product's own, which share its chunks
 */
export async function bundleProduct(
  outdir: string,
  more: BuildOptions = {},
  programs: readonly string[] = [],
): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: [...entries, ...programs],
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
    ...more,
  });
  for (const asset of assets) copyFileSync(join(root, asset), join(outdir, basename(asset)));
}
