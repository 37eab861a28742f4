/** `--env NAME`: the file that the stacks were deployed from says where everything is. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Environment } from '../core/contract/environment.ts';
import { HoldfastError } from '../core/contract/errors.ts';
import { namesOf, type Place } from '../core/contract/names.ts';
import { readEnvironment } from '../core/environment/read-environment.ts';

export interface EnvironmentOptions {
  /** Name of a file in `environments/`, or the path of one. */
  readonly env?: string;
  /** The Region of the replica instead of the primary. */
  readonly dr?: boolean;
}

/**
 * @param env `prod` is `environments/prod.json` of the folder that one is in; what ends with `.json` is a path
 * @throws UsageError when there is no such file; ConfigurationError for what is in it
 */
export async function loadEnvironmentFile(env: string): Promise<Environment> {
  const file = env.endsWith('.json') ? env : `environments/${env}.json`;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`;
    throw new HoldfastError('UsageError', `--env ${env}: ${file} ${why}.`, {
      hint: `${await namesBeside(file)}Run it where the folder environments/ is, or give --env the path of the file.`,
      cause,
    });
  }
  return readEnvironment(text, file, basename(file, '.json'));
}

/** Most often it is misspelt, and its neighbours say what would be right. */
async function namesBeside(file: string): Promise<string> {
  const files = await readdir(dirname(file)).catch(() => []);
  const names = files.filter((one) => one.endsWith('.json')).map((one) => basename(one, '.json'));
  return names.length === 0 ? '' : `There is: ${names.sort().join(', ')}. `;
}

/** Where functions and keys are. @throws UsageError when the replica is wanted and there is none */
export function placeOf({ name, account, regions }: Environment, isReplica: boolean): Place {
  if (!isReplica) return { account, region: regions.primary };
  if (regions.replica !== undefined) return { account, region: regions.replica };
  throw new HoldfastError('UsageError', `--dr: the environment ${name} has no replica.`, {
    hint: 'Leave --dr out; a replica comes with regions.replica of the environment.',
  });
}

/** `s3://…` of the vault, or of its copy in the other Region, which may be another account's. */
export function vaultUrlOf(environment: Environment, isReplica: boolean): string {
  const { region, account } = placeOf(environment, isReplica);
  const owner = isReplica ? (environment.replicaAccount ?? account) : account;
  return `s3://${namesOf(environment.name).vaultBucket({ account: owner, region })}`;
}

/** Where the records of runs are: always in the first account. */
export function workspaceUrlOf(environment: Environment, isReplica: boolean): string {
  return `s3://${namesOf(environment.name).workspaceBucket(placeOf(environment, isReplica))}`;
}
