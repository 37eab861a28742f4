/**
 * What `--env NAME` names: a deployment on AWS, by the file that it was made from. Nothing here loads the SDK of AWS, and
 * nothing asks AWS: names are made of the environment's.
 */
import type { Execution } from '../../aws/executions/execution-arn.ts';
import type { Environment } from '../../core/contract/environment.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { MachineName, Place } from '../../core/contract/names.ts';
import { type EnvironmentOptions, loadEnvironmentFile, placeOf } from '../environment-file.ts';

export interface Deployment {
  readonly environment: Environment;
  readonly place: Place;
  readonly isReplica: boolean;
  /** The options as they were said, to name a command that does more of the same. */
  readonly said: string;
}

/** @returns undefined without --env: it is about this machine then. @throws UsageError, ConfigurationError */
export async function deploymentOf(options: EnvironmentOptions): Promise<Deployment | undefined> {
  const { env } = options;
  if (env === undefined) return undefined;
  const isReplica = options.dr === true;
  const environment = await loadEnvironmentFile(env);
  const place = placeOf(environment, isReplica);
  return { environment, place, isReplica, said: `--env ${env}${isReplica ? ' --dr' : ''}` };
}

export const executionIn = (
  { environment, place }: Deployment,
  machine: MachineName,
  name: string,
): Execution => ({ environment: environment.name, place, machine, name });

/** The command line that ends a run. @param what its name or ARN */
export const cancelBy = (said: string, what: string): string => `holdfast ${said} cancel ${what}`;

/**
 * The one that is named, or the only one there is.
 * @throws UsageError that names those there are
 */
export function sourceIn({ environment }: Deployment, named: string | undefined): string {
  const all = environment.sources.map(({ name }) => name);
  const [only, ...others] = all;
  if (named === undefined && only !== undefined && others.length === 0) return only;
  if (named !== undefined && all.includes(named)) return named;
  throw new HoldfastError(
    'UsageError',
    named === undefined
      ? `Which source? The environment ${environment.name} has ${all.length}.`
      : `The environment ${environment.name} has no source ${JSON.stringify(named)}.`,
    { hint: `Name one of: ${all.join(', ')}.` },
  );
}

/**
 * A server to restore to: a target of this Region, or a source under its own name.
 * @param named as `--target` gives it; absent: the target of the source's drill
 * @throws UsageError that names those there are
 */
export function targetIn(
  { environment, isReplica }: Deployment,
  named: string | undefined,
): string {
  const { sources, targets, name } = environment;
  const region = isReplica ? 'replica' : 'primary';
  const here = targets.filter((target) => target.region === region);
  if ([...here, ...sources].some((one) => one.name === named) && named !== undefined) return named;
  const what =
    named === undefined
      ? 'No target was named.'
      : `${named.includes(':') ? 'A URL' : JSON.stringify(named)} is no target of the environment ${name} in ${isReplica ? 'the other Region' : 'the primary Region'}.`;
  throw new HoldfastError('UsageError', what, {
    hint: `${described(here)} To add one, describe it in "targets" of environments/${name}.json (with "region": "${region}") and deploy. A source is a target too, under its own name (${namesOf(sources)}): its login is that of the backups, which as a rule may only read.`,
  });
}

interface Named {
  readonly name: string;
}

const namesOf = (all: readonly Named[]): string => all.map(({ name }) => name).join(', ');

const described = (targets: readonly Named[]): string =>
  targets.length === 0
    ? 'It has no target there.'
    : `Name one as in the environment's file: --target ${targets.map(({ name }) => name).join(' or ')}.`;
