/** `npm run bench -- dump`: starts one of the benches. */
const benches: Readonly<Record<string, () => Promise<unknown>>> = {
  dump: () => import('./dump.ts'),
  restore: () => import('./restore.ts'),
  tables: () => import('./tables.ts'),
};

const name = process.argv[2] ?? '';
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (bench === undefined) {
  console.error(
    `Unknown bench ${JSON.stringify(name)}. There are: ${Object.keys(benches).join(', ')}.`,
  );
  process.exit(2);
}
await bench();
