/** Makes dist/: what runs on a person's machine (product-bundle.ts), and in it lambda/ (lambda-bundle.ts). */
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundleLambdas } from './lambda-bundle.ts';
import { bundleProduct } from './product-bundle.ts';

const outdir = join(import.meta.dirname, '../dist');

rmSync(outdir, { recursive: true, force: true });
await bundleProduct(outdir);
chmodSync(join(outdir, 'holdfast.js'), 0o755);
await bundleLambdas();
