/** Which environment is synthesized: the file in environments/ that `-c env=NAME` names. Nothing is looked up on AWS. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../core/contract/environment.ts';
import { HoldfastError } from '../core/contract/errors.ts';
import { readEnvironment } from '../core/environment/read-environment.ts';

const ownFolder = join(import.meta.dirname, '../environments');

/** Of the documentation of AWS, nobody's: as `account` it stands in the examples, which are synthesized and never deployed. */
const placeholder = '111122223333';
const examples: readonly string[] = ['example', 'everything'];

/**
 * @param name the context value `env`
 * @throws ConfigurationError when none is named, there is no such file, a value in it is not allowed, or its account is
 * still that of the example
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
  const environment = readEnvironment(
    readFileSync(join(folder, `${name}.json`), 'utf8'),
    file,
    name,
  );
  if (environment.account === placeholder && !examples.includes(name)) throw notYours(file);
  return environment;
}

/** CDK would say that the account is not bootstrapped, whatever was bootstrapped. */
const notYours = (file: string): HoldfastError =>
  new HoldfastError(
    'ConfigurationError',
    `${file}: account is "${placeholder}", which is that of the example and nobody's; allowed is the id of your own, 12 digits.`,
    { hint: '`aws sts get-caller-identity --query Account --output text` says it.' },
  );

const namesIn = (folder: string): string[] =>
  (existsSync(folder) ? readdirSync(folder) : [])
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();

const wrong = (what: string, allowed: string, known: readonly string[]): HoldfastError =>
  new HoldfastError('ConfigurationError', `${what}: ${allowed}`, {
    hint: `Name one with \`-c env=${known[0] ?? 'prod'}\`; a new one begins as a copy of environments/example.json.`,
  });
