/** Which environment is synthesized: the file in environments/ that `-c env=NAME` names. Nothing is looked up on AWS. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../core/contract/environment.ts';
import { HoldfastError } from '../core/contract/errors.ts';
import { readEnvironment } from '../core/environment/read-environment.ts';

const ownFolder = join(import.meta.dirname, '../environments');

/**
 * @param name the context value `env`
 * @throws ConfigurationError when none is named, there is no such file, or a value in it is not allowed
 */
export function loadEnvironment(name: unknown, folder: string = ownFolder): Environment {
  const known = namesIn(folder);
  const allowed = `allowed are ${known.join(', ')}`;
  if (name === undefined) {
    throw wrong('No environment is named', `${allowed}.`, known);
  }
  if (typeof name !== 'string' || !known.includes(name)) {
    throw wrong(`-c env=${String(name)}`, `environments/ has no such file; ${allowed}.`, known);
  }
  const file = `environments/${name}.json`;
  return readEnvironment(readFileSync(join(folder, `${name}.json`), 'utf8'), file, name);
}

const namesIn = (folder: string): string[] =>
  (existsSync(folder) ? readdirSync(folder) : [])
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();

const wrong = (what: string, allowed: string, known: readonly string[]): HoldfastError =>
  new HoldfastError('ConfigurationError', `${what}: ${allowed}`, {
    hint: `Name one with \`-c env=${known[0] ?? 'prod'}\`; a new one begins as a copy of environments/example.json.`,
  });
