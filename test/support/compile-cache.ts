/**
 * Tests start hundreds of worker processes, which are ended with SIGKILL and so never write what they have compiled: one
 * process that ends by itself does it for them. Two thirds of a start is compiling.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
export const compileCache = join(root, 'node_modules/.cache/holdfast-tests');

export function fillCompileCache(): void {
  const modules = ['lambdas/handlers.ts', 'local/engine/local-deps.ts', 'cli/main.ts'];
  const code = modules.map((path) => `await import(${JSON.stringify(join(root, path))});`).join('');
  execFileSync(process.execPath, ['--input-type=module', '-e', `${code}process.exit()`], {
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    stdio: 'ignore',
  });
}
