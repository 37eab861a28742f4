/**
 * The ports of core on AWS, made once per process of a function from its environment. The only place of clients.
 *
 * Invariant: nothing is asked of AWS here but by Plan, which makes an empty bucket a vault: a function that cannot reach
 * a service it does not need works all the same.
 */
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { RDSClient } from '@aws-sdk/client-rds';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import { makeConnectionOf } from '../aws/connection/connection-of.ts';
import { stopExecutionOf } from '../aws/executions/stop-execution.ts';
import { whyStoppedOf } from '../aws/executions/why-stopped.ts';
import { openKmsKeyRing } from '../aws/keyring/kms-key-ring.ts';
import { invokeRecord } from '../aws/record/invoke-record.ts';
import { sourceNamesOf } from '../aws/sources/source-names.ts';
import { s3ClientSettings } from '../aws/vault/client-settings.ts';
import { openS3Vault } from '../aws/vault/s3-vault.ts';
import { openS3Workspace } from '../aws/vault/s3-workspace.ts';
import type { Deps } from '../core/contract/deps.ts';
import type { FunctionName } from '../core/contract/functions.ts';
import { requireKeys } from '../core/keyring/require-keys.ts';
import { ensureVaultMarker } from '../core/vault/marker.ts';
import { type FunctionEnvironment, functionEnvironment } from './environment.ts';
import { openTelemetry, type Telemetry } from './telemetry.ts';
import { holdfastVersion } from './version.ts';

export interface RealDeps {
  readonly deps: Deps;
  readonly telemetry: Telemetry;
}

/** @throws ConfigurationError when the environment is not as the stacks set it; of Plan: what the vault and keys say */
export async function openRealDeps(
  name: FunctionName,
  env: Readonly<Record<string, string | undefined>>,
): Promise<RealDeps> {
  const environment = functionEnvironment(env);
  const telemetry = openTelemetry(name, environment.environment);
  const deps = depsOf(name, environment, telemetry, env['AWS_ENDPOINT_URL'] !== undefined);
  if (name === 'Plan') {
    const marker = await ensureVaultMarker(deps);
    requireKeys(deps.keyRing, marker, `vault ${deps.vault.location}`);
  }
  return { deps, telemetry };
}

function depsOf(
  name: FunctionName,
  environment: FunctionEnvironment,
  { metric, progress }: Telemetry,
  isEmulated: boolean,
): Deps {
  const { region, vaultBucket, workspaceBucket, vaultId, lockMode, recordFunction } = environment;
  const { encryptionKey, signingKey, signingPublicKeys: publicKeys } = environment;
  // Keys are in the account of the functions.
  const account = accountOf(encryptionKey);
  const client = { region, ...clientSettings };
  const s3 = new S3Client({ ...s3ClientSettings, region, forcePathStyle: isEmulated });
  const ssm = new SSMClient(client);
  const lambda = new LambdaClient(client);
  const sfn = new SFNClient(client);
  const connections = makeConnectionOf({
    ssm,
    secrets: new SecretsManagerClient(client),
    rds: new RDSClient(client),
    region,
    environment: environment.environment,
  });
  const replica = replicaOf(environment, isEmulated);
  return {
    vault: openS3Vault({ s3, bucket: vaultBucket, lockMode, ...ownerOf(vaultBucket) }),
    vaultId,
    workspace: openS3Workspace({ s3, bucket: workspaceBucket, ...ownerOf(workspaceBucket) }),
    keyRing: openKmsKeyRing({
      kms: new KMSClient(client),
      encryptionKeyArn: encryptionKey,
      signingKeyArn: signingKey,
      publicKeys,
    }),
    connectionOf: connections.connectionOf,
    sourceOf: connections.sourceOf,
    sourceWarnings: connections.sourceWarnings,
    sourceNames: sourceNamesOf(ssm, environment.environment),
    stopExecution: stopExecutionOf(sfn, environment.environment, { account, region }),
    whyStopped: whyStoppedOf(sfn, environment.environment, { account, region }),
    ...(replica !== undefined && { replica }),
    ...(recordFunction !== undefined && { record: invokeRecord(lambda, recordFunction, name) }),
    metric,
    progress,
    now: () => new Date(),
    toolVersions: { holdfast: holdfastVersion(), node: process.versions.node },
  };
}

/** The copy of the vault, with clients and keys of its own Region: multi-Region keys have one id and an ARN in each. */
function replicaOf(environment: FunctionEnvironment, isEmulated: boolean): Deps['replica'] {
  const { replicaBucket, replicaRegion, replicaEncryptionKey, lockMode } = environment;
  if (
    replicaBucket === undefined ||
    replicaRegion === undefined ||
    replicaEncryptionKey === undefined
  ) {
    return undefined;
  }
  return {
    vault: openS3Vault({
      s3: new S3Client({
        ...s3ClientSettings,
        region: replicaRegion,
        forcePathStyle: isEmulated,
      }),
      bucket: replicaBucket,
      lockMode,
      ...ownerOf(replicaBucket),
    }),
    keyRing: openKmsKeyRing({
      kms: new KMSClient({ region: replicaRegion, ...clientSettings }),
      encryptionKeyArn: replicaEncryptionKey,
      signingKeyArn: inRegion(environment.signingKey, replicaRegion),
      publicKeys: environment.signingPublicKeys,
    }),
  };
}

/** A service that does not answer a connection is tried elsewhere before a state's own Retry; none may hang for a task. */
const clientSettings = { maxAttempts: 5, requestHandler: { connectionTimeout: 5_000 } } as const;

const accountOf = (keyArn: string): string => keyArn.split(':')[4] ?? '';

/** Names of our buckets say whose they are (core/contract/names.ts): that of a replica may be another account's. */
function ownerOf(bucket: string): { readonly expectedBucketOwner?: string } {
  const [, account] = /-(\d{12})-[a-z-]+-\d$/.exec(bucket) ?? [];
  return account === undefined ? {} : { expectedBucketOwner: account };
}

const inRegion = (keyArn: string, region: string): string =>
  keyArn.split(':').with(3, region).join(':');
