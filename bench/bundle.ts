/**
 * Makes one flat file per entry, as build/bundle.ts does for what is installed: started from its sources a worker process
 * takes twice as long, which nobody who uses Holdfast ever waits for.
 */
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
/** Beside dist/, where modules look for statemachines/ and package.json. */
const outdir = join(root, '.bench');

/** @returns where the bench can be imported from */
export async function bundled(bench: string): Promise<string> {
  rmSync(outdir, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: [`bench/${bench}.ts`, 'local/engine/worker.ts', 'core/schema/pg-dump-thread.ts'],
    entryNames: '[name]',
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    packages: 'external',
    logLevel: 'warning',
  });
  copyFileSync(join(root, 'core/fingerprint/fingerprint.wasm'), join(outdir, 'fingerprint.wasm'));
  return pathToFileURL(join(outdir, `${bench}.js`)).href;
}
