/** The version of Holdfast, for the manifest: package.json is one folder up from here, and beside the bundle. */
import { readFileSync } from 'node:fs';

export function holdfastVersion(): string {
  const up = import.meta.url.endsWith('.ts') ? '../' : './';
  const file = new URL(`${up}package.json`, import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return version;
}
