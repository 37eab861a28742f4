/** The version of Holdfast, from its own package.json. */
import { readFileSync } from 'node:fs';

/** package.json is one folder up from local/ as from dist/. */
export function holdfastVersion(): string {
  const file = new URL('../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return version;
}
