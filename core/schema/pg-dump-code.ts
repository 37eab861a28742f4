/**
 * Holds pg_dump's WebAssembly for the life of the process. V8 shares what it has compiled of the same bytes between
 * threads as long as somebody holds a module of them, so that every thread after the first one starts with compiled code:
 * 0.14 instead of 0.3 CPU seconds for a section of a small database.
 *
 * Invariant: a help and nothing else; without it a thread compiles for itself.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let held: Promise<WebAssembly.Module | undefined> | undefined;

/** Resolves when it is held, or cannot be. */
export async function holdPgDumpCode(): Promise<void> {
  held ??= compile().catch(() => undefined);
  await held;
}

async function compile(): Promise<WebAssembly.Module> {
  const name = 'pg_dump.wasm';
  // In a bundle of everything it lies beside, else in its package.
  const beside = fileURLToPath(new URL(name, import.meta.url));
  const bytes = await readFile(beside).catch(() => {
    const require = createRequire(import.meta.url);
    return readFile(join(dirname(require.resolve('@electric-sql/pglite-tools/pg_dump')), name));
  });
  return new WebAssembly.Module(bytes);
}
