/** In the place of local/engine/worker-entry.ts while tests run: the same program, bundled (program.ts). */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const workerEntry = pathToFileURL(
  join(process.env['HOLDFAST_TEST_PROGRAM'] ?? '', 'worker.js'),
);
