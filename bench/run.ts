/** `npm run bench -- dump`: starts one of the benches. */
import { bundled } from './bundle.ts';

const benches = ['dump', 'restore', 'tables'];

const name = process.argv[2] ?? '';
if (!benches.includes(name)) {
  console.error(`Unknown bench ${JSON.stringify(name)}. There are: ${benches.join(', ')}.`);
  process.exit(2);
}
await import(await bundled(name));
