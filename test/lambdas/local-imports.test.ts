/** Worker processes of one machine import the same handlers as Lambda: they must not pay for clients of AWS. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Packages of AWS that are loaded by an import. */
async function loadedBy(...files: string[]): Promise<string[]> {
  const program = `
    import { registerHooks } from 'node:module';
    const seen = new Set();
    registerHooks({
      resolve(specifier, context, next) {
        const found = next(specifier, context);
        const [, name] = /node_modules\\/(@aws-(?:sdk|lambda-powertools)\\/[^/]+)\\//.exec(found.url) ?? [];
        if (name !== undefined) seen.add(name);
        return found;
      },
    });
    for (const file of ${JSON.stringify(files)}) await import(file);
    console.log(JSON.stringify([...seen]));`;
  const args = ['--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env: {} });
  return JSON.parse(stdout) as string[];
}

it('handlers load no client of AWS', async () => {
  expect(await loadedBy('./lambdas/handlers.ts', './local/engine/local-deps.ts')).toEqual([]);
});
