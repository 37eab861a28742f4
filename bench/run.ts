/** `npm run bench -- dump`: starts one of the benches. BENCH_HALF_CORES=1: on twice the cores, each half as fast. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { bundled } from './bundle.ts';

const benches = ['dump', 'restore', 'tables'];

const name = process.argv[2] ?? '';
if (!benches.includes(name)) {
  console.error(`Unknown bench ${JSON.stringify(name)}. There are: ${benches.join(', ')}.`);
  process.exit(2);
}
const bench = await bundled(name);
if (process.env.BENCH_HALF_CORES === '1') {
  await halveCores();
}
await import(bench);

/** @throws when the machine has no cgroup v1 that we may write */
async function halveCores(): Promise<void> {
  const halving = fork(join(import.meta.dirname, 'half-cores.ts'));
  const [answer] = await Promise.race([once(halving, 'message'), once(halving, 'exit')]);
  if (answer !== 'ready') throw new Error('BENCH_HALF_CORES needs cgroup v1 (cpu) and root.');
  console.log('No thread has more than half of a core.');
  halving.unref();
  halving.channel?.unref();
}
