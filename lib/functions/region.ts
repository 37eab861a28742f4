/** One Region of an environment as its functions see it: what they may name, and what their environment tells them. */
import { functionEnvNames } from '../../core/contract/env.ts';
import type { ConnectionReference, Environment } from '../../core/contract/environment.ts';
import type { FunctionName } from '../../core/contract/functions.ts';
import { type MachineName, namesOf, type Place } from '../../core/contract/names.ts';
import { replicaVaultPlaceOf, vaultIdOf, vaultPlaceOf } from '../places.ts';
import type { Reach } from './statements.ts';

/** ARNs of the multi-Region keys in this Region, and of the same keys where the replica is (primary only). */
export interface RegionKeys {
  readonly encryptionKeyArn: string;
  readonly signingKeyArn: string;
  readonly replicaEncryptionKeyArn?: string;
  readonly replicaSigningKeyArn?: string;
}

/** What every stateless stack is made of. */
export interface RegionProps {
  readonly environment: Environment;
  readonly place: Place;
  readonly isPrimary: boolean;
  readonly keys: RegionKeys;
}

const machines: readonly MachineName[] = ['backup', 'restore', 'drill'];

/** The copy of the vault, as the primary's functions see it. */
function replicaOf({ environment, isPrimary, keys }: RegionProps): Reach['replica'] {
  const place = isPrimary ? replicaVaultPlaceOf(environment) : undefined;
  const { replicaEncryptionKeyArn: encryptionKeyArn, replicaSigningKeyArn: signingKeyArn } = keys;
  if (place === undefined || encryptionKeyArn === undefined || signingKeyArn === undefined) {
    return undefined;
  }
  const vaultArn = bucketArn(namesOf(environment.name).vaultBucket(place));
  return { vaultArn, encryptionKeyArn, signingKeyArn };
}

export function reachOf(props: RegionProps): Reach {
  const { environment, place, isPrimary, keys } = props;
  const names = namesOf(environment.name);
  const { account, region } = place;
  const replica = replicaOf(props);
  const connections = connectionsOf(environment, isPrimary);
  return {
    vaultArn: bucketArn(names.vaultBucket(vaultPlaceOf(environment, isPrimary))),
    workspaceArn: bucketArn(names.workspaceBucket(place)),
    vaultId: vaultIdOf(environment),
    ...{ encryptionKeyArn: keys.encryptionKeyArn, signingKeyArn: keys.signingKeyArn },
    ...(replica !== undefined && { replica }),
    parameterArns: [`arn:aws:ssm:${region}:${account}:parameter${names.parameters}`],
    secretArns: unique(connections.flatMap(({ secret }) => secretArnsOf(secret, place))),
    databaseArns: unique(
      connections.flatMap(({ dbInstance, dbCluster, reader }) => [
        // Which reader it is, is known when the cluster is asked.
        reader && `arn:aws:rds:${region}:${account}:db:*`,
        dbInstance && `arn:aws:rds:${region}:${account}:db:${dbInstance}`,
        dbCluster && `arn:aws:rds:${region}:${account}:cluster:${dbCluster}`,
      ]),
    ),
    // The id of the server (`db-ABC…`) is not known without asking for it: the user's name is what narrows this.
    databaseUserArns: unique(
      connections.map(
        ({ auth, user }) =>
          auth === 'iam' && `arn:aws:rds-db:${region}:${account}:dbuser:*/${user}`,
      ),
    ),
    recordFunctionArn: names.functionArn('Record', place),
    executionArns: machines.map(
      (machine) => `arn:aws:states:${region}:${account}:execution:${names.machine(machine)}:*`,
    ),
  };
}

/** Sources can be restored to, and targets backed up (safety backups): every function that connects may connect to all. */
function connectionsOf(
  { sources, targets }: Environment,
  isPrimary: boolean,
): ConnectionReference[] {
  const here = isPrimary ? 'primary' : 'replica';
  const own = targets.filter(({ region }) => region === here);
  return [...sources, ...own].map(({ connection }) => connection);
}

/** Secrets Manager ends every ARN with a hyphen and six characters of its own; a name does not say them. */
function secretArnsOf(secret: string | undefined, { account, region }: Place): string[] {
  if (secret === undefined) return [];
  if (!secret.startsWith('arn:')) {
    return [`arn:aws:secretsmanager:${region}:${account}:secret:${secret}-??????`];
  }
  // `…:secret:shop-backup` looks like a whole ARN and is none: both are let in, of which one does not exist.
  const looksWhole = /-[A-Za-z0-9]{6}$/.test(secret);
  return looksWhole ? [secret, `${secret}-??????`] : [`${secret}-??????`];
}

const bucketArn = (name: string): string => `arn:aws:s3:::${name}`;

const unique = (values: readonly (string | false | undefined)[]): string[] => [
  ...new Set(values.filter((value): value is string => typeof value === 'string')),
];

/** Nothing secret: environments of functions can be read by many. */
export function functionEnvironmentOf(
  name: FunctionName,
  { environment, place, isPrimary, keys }: RegionProps,
): Record<string, string> {
  const names = namesOf(environment.name);
  const replica = isPrimary ? replicaVaultPlaceOf(environment) : undefined;
  const pinned = environment.signingPublicKeys;
  return {
    [functionEnvNames.environment]: environment.name,
    [functionEnvNames.vaultBucket]: names.vaultBucket(vaultPlaceOf(environment, isPrimary)),
    [functionEnvNames.workspaceBucket]: names.workspaceBucket(place),
    [functionEnvNames.vaultId]: vaultIdOf(environment),
    [functionEnvNames.encryptionKey]: keys.encryptionKeyArn,
    [functionEnvNames.signingKey]: keys.signingKeyArn,
    [functionEnvNames.lockMode]: environment.lock.mode,
    ...(pinned.length > 0 && { [functionEnvNames.signingPublicKeys]: JSON.stringify(pinned) }),
    ...(name !== 'Record' && { [functionEnvNames.recordFunction]: names.function('Record') }),
    ...(replica !== undefined &&
      keys.replicaEncryptionKeyArn !== undefined && {
        [functionEnvNames.replicaBucket]: names.vaultBucket(replica),
        [functionEnvNames.replicaRegion]: replica.region,
        [functionEnvNames.replicaEncryptionKey]: keys.replicaEncryptionKeyArn,
      }),
    NODE_OPTIONS: '--enable-source-maps',
  };
}
