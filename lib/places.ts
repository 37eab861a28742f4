/** Where things of an environment are: which Region, and for the copy of the vault perhaps which account. */
import type { Environment } from '../core/contract/environment.ts';
import { namesOf, type Place } from '../core/contract/names.ts';

export const primaryPlaceOf = ({ account, regions }: Environment): Place => ({
  account,
  region: regions.primary,
});

/** Where functions run and keys are in the second Region: always the first account, since a key's replica cannot leave it. */
export function replicaPlaceOf({ account, regions }: Environment): Place | undefined {
  return regions.replica === undefined ? undefined : { account, region: regions.replica };
}

/** Where the copy of the vault is. */
export function replicaVaultPlaceOf(environment: Environment): Place | undefined {
  const place = replicaPlaceOf(environment);
  return place && { ...place, account: environment.replicaAccount ?? environment.account };
}

/** Where the vault of the functions of a Region is. */
export const vaultPlaceOf = (environment: Environment, isPrimary: boolean): Place =>
  (isPrimary ? undefined : replicaVaultPlaceOf(environment)) ?? primaryPlaceOf(environment);

/** One vault, wherever its copies are: it has the id of the primary. */
export const vaultIdOf = (environment: Environment): string =>
  namesOf(environment.name).vaultId(primaryPlaceOf(environment));
