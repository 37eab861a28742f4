/**
 * Makes .bench/: the bench and the product that it measures, bundled as what is installed is (build/product-bundle.ts).
 * Started from its sources a worker process takes twice as long and more, which nobody who uses Holdfast ever waits for.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleProduct } from '../build/product-bundle.ts';

/** Beside dist/, where modules look for statemachines/ and package.json. */
const outdir = join(import.meta.dirname, '../.bench');

/** @returns where the bench can be imported from */
export async function bundled(bench: string): Promise<string> {
  rmSync(outdir, { recursive: true, force: true });
  await bundleProduct(outdir, {}, [`bench/${bench}.ts`]);
  return pathToFileURL(join(outdir, `${bench}.js`)).href;
}
