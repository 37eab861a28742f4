/**
 * Which roles may do something, read from what the functions' own policies will say: the policies of keys and buckets
 * name the same roles, so that neither can be wider than the other.
 *
 * Roles are named in conditions and not as principals: a policy that names a role which does not exist yet is refused,
 * and one whose role was deleted and made again no longer means it.
 */
import type { Environment } from '../core/contract/environment.ts';
import { namesOf } from '../core/contract/names.ts';
import { type RegionKeys, reachOf } from './functions/region.ts';
import { functionRights, statementsOf } from './functions/rights.ts';
import type { Statement } from './functions/statements.ts';
import { primaryPlaceOf, replicaPlaceOf } from './places.ts';

/** Stand in for the ARNs of keys, which nobody knows before they are made. */
const standIns = {
  primary: {
    encryptionKeyArn: 'primary-encryption-key',
    signingKeyArn: 'primary-signing-key',
    replicaEncryptionKeyArn: 'replica-encryption-key',
    replicaSigningKeyArn: 'replica-signing-key',
  },
  replica: { encryptionKeyArn: 'replica-encryption-key', signingKeyArn: 'replica-signing-key' },
} as const satisfies Record<string, RegionKeys>;

export type KeyOf = 'primary' | 'replica';

/** ARNs of the roles, of both Regions, with a statement that allows it. */
function holders(environment: Environment, may: (statement: Statement) => boolean): string[] {
  const regions = [
    { place: primaryPlaceOf(environment), isPrimary: true, keys: standIns.primary },
    { place: replicaPlaceOf(environment), isPrimary: false, keys: standIns.replica },
  ];
  const { roleArn } = namesOf(environment.name);
  return regions.flatMap(({ place, isPrimary, keys }) => {
    if (place === undefined) return [];
    const reach = reachOf({ environment, place, isPrimary, keys });
    return (Object.keys(functionRights) as (keyof typeof functionRights)[])
      .filter((name) => statementsOf(name, reach).some((one) => one.effect === 'Allow' && may(one)))
      .map((name) => roleArn(name, place));
  });
}

/** @param key the key of this Region */
export const rolesOnEncryptionKey = (
  environment: Environment,
  key: KeyOf,
  action: string,
): string[] =>
  holders(
    environment,
    ({ actions, resources }) =>
      actions.includes(action) && resources.includes(standIns[key].encryptionKeyArn),
  );

export const rolesOnSigningKey = (environment: Environment, key: KeyOf, action: string): string[] =>
  holders(
    environment,
    ({ actions, resources }) =>
      actions.includes(action) && resources.includes(standIns[key].signingKeyArn),
  );

/** @param actions any of these; without: whatever it may do there */
export const rolesOnBucket = (
  environment: Environment,
  bucketArn: string,
  actions?: readonly string[],
): string[] =>
  holders(
    environment,
    (statement) =>
      statement.resources.some((arn) => arn === bucketArn || arn.startsWith(`${bucketArn}/`)) &&
      (actions === undefined || statement.actions.some((action) => actions.includes(action))),
  );

/** What any function may do in a bucket. */
export function actionsOnBucket(environment: Environment, bucketArn: string): string[] {
  const found = new Set<string>();
  holders(environment, ({ resources, actions }) => {
    const isHere = resources.some((arn) => arn === bucketArn || arn.startsWith(`${bucketArn}/`));
    if (isHere) for (const action of actions) found.add(action);
    return false;
  });
  return [...found].sort();
}
