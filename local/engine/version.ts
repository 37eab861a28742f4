/** The version of Holdfast, for the manifest. */
import { readFileSync } from 'node:fs';

/** package.json is two folders up from here, and one up from dist/. */
export function holdfastVersion(): string {
  const up = import.meta.url.endsWith('.ts') ? '../../' : '../';
  const file = new URL(`${up}package.json`, import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return version;
}
