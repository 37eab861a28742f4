/** Makes the calls of lib/functions/attempts.ts. */
import {
  DecryptCommand,
  GenerateDataKeyCommand,
  type KMSClient,
  SignCommand,
} from '@aws-sdk/client-kms';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { StopExecutionCommand } from '@aws-sdk/client-sfn';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { type AttemptName, attempts, probe } from '../../../lib/functions/attempts.ts';
import type { Reach } from '../../../lib/functions/statements.ts';
import { clientsOf } from '../deployed/clients.ts';
import { base } from '../deployed/harness.ts';
import { clientSettings, replicaRegion } from '../emulator-clients.ts';
import type { Credentials } from './assume.ts';

export interface Trial {
  readonly who: string;
  readonly region: string;
  readonly credentials: Credentials;
  readonly reach: Reach;
  /** Of the data key of this vault. */
  readonly wrapped: Uint8Array;
}

const denials = ['AccessDenied', 'AccessDeniedException'];

/** @returns undefined when there is no such thing in this Region @throws what is neither an answer nor a denial */
export async function isLetIn(name: AttemptName, trial: Trial): Promise<boolean | undefined> {
  const pattern = attempts[name].resource(trial.reach);
  if (pattern === undefined) return undefined;
  const resource = keyOf(pattern, trial.who);
  try {
    await call(name, resource, trial);
    return true;
  } catch (error) {
    const { name: said } = error as Error;
    if (denials.includes(said)) return false;
    if (harmless.includes(said)) return true;
    throw error;
  }
}

/** Let in, and told that it is not there, was written before, or that the checksum is wrong: no attempt writes anything. */
const harmless = ['PreconditionFailed', 'ExecutionDoesNotExist', 'BadDigest'];
const wrongChecksum = Buffer.alloc(32).toString('base64');

function call(name: AttemptName, arn: string, trial: Trial): Promise<unknown> {
  const { credentials } = trial;
  // Names of buckets end with their Region; ARNs of keys name it.
  const isCopy =
    arn.split('/')[0]?.endsWith(`-${replicaRegion}`) || arn.split(':')[3] === replicaRegion;
  const region = isCopy ? replicaRegion : trial.region;
  const settings = { ...clientSettings(region), credentials };
  const clients = clientsOf({ ...base(), settings: () => settings }, region);
  const [action = ''] = attempts[name].actions;
  const context = attempts[name].context?.(trial.reach) ?? {};
  if (action.startsWith('s3:')) return onObject(clients.s3, action, arn, context);
  if (action.startsWith('kms:')) return withKey(clients.kms, action, arn, context, trial.wrapped);
  switch (action) {
    case 'secretsmanager:GetSecretValue':
      return new SecretsManagerClient(settings).send(
        new GetSecretValueCommand({ SecretId: arn.split(':secret:')[1]?.replace(/-a{6}$/, '') }),
      );
    case 'ssm:GetParameter':
      return clients.ssm.send(new GetParameterCommand({ Name: arn.split(':parameter')[1] }));
    case 'lambda:InvokeFunction':
      return new LambdaClient(settings).send(
        new InvokeCommand({ FunctionName: arn, InvocationType: 'DryRun' }),
      );
    case 'states:StopExecution':
      return clients.sfn.send(new StopExecutionCommand({ executionArn: arn }));
    default:
      throw new Error(`No call is written for ${action}.`);
  }
}

function onObject(
  s3: S3Client,
  action: string,
  arn: string,
  context: Readonly<Record<string, string>>,
): Promise<unknown> {
  const [Bucket = '', ...rest] = arn.replace('arn:aws:s3:::', '').split('/');
  const at = { Bucket, Key: rest.join('/') };
  const tier = context['s3:RequestObjectTag/holdfast-tier'];
  switch (action) {
    case 's3:GetObject':
      return s3.send(new GetObjectCommand(at));
    case 's3:PutObject':
      return s3.send(
        new PutObjectCommand({
          ...{ ...at, Body: 'probe', IfNoneMatch: '*', ChecksumSHA256: wrongChecksum },
          ...(tier !== undefined && { Tagging: `holdfast-tier=${tier}` }),
        }),
      );
    case 's3:PutObjectTagging':
      return s3.send(
        new PutObjectTaggingCommand({
          ...at,
          Tagging: { TagSet: [{ Key: 'holdfast-tier', Value: tier }] },
        }),
      );
    case 's3:PutObjectRetention':
      return s3.send(
        new PutObjectRetentionCommand({
          ...at,
          Retention: {
            Mode: 'GOVERNANCE',
            RetainUntilDate: new Date(Date.now() + 30 * 86_400_000),
          },
        }),
      );
    case 's3:PutObjectLegalHold':
      return s3.send(new PutObjectLegalHoldCommand({ ...at, LegalHold: { Status: 'ON' } }));
    case 's3:DeleteObject':
      return s3.send(new DeleteObjectCommand(at));
    default:
      throw new Error(`No call is written for ${action}.`);
  }
}

function withKey(
  kms: KMSClient,
  action: string,
  KeyId: string,
  context: Readonly<Record<string, string>>,
  wrapped: Uint8Array,
): Promise<unknown> {
  const EncryptionContext = { vault: context['kms:EncryptionContext:vault'] ?? '' };
  switch (action) {
    case 'kms:GenerateDataKey':
      return kms.send(new GenerateDataKeyCommand({ KeyId, EncryptionContext, NumberOfBytes: 32 }));
    case 'kms:Decrypt':
      return kms.send(new DecryptCommand({ KeyId, EncryptionContext, CiphertextBlob: wrapped }));
    case 'kms:Sign':
      return kms.send(
        new SignCommand({
          ...{ KeyId, Message: Buffer.from('probe'), SigningAlgorithm: 'ECDSA_SHA_256' },
        }),
      );
    default:
      throw new Error(`No call is written for ${action}.`);
  }
}

/** What is there before anybody tries: an object of each kind for each role, made by the account's root. */
export async function layOut(s3: S3Client, reach: Reach, who: readonly string[]): Promise<void> {
  const vault = reach.vaultArn.split(':::')[1];
  const workspace = reach.workspaceArn.split(':::')[1];
  const put = (Bucket: string | undefined, pattern: string, one: string, Tagging?: string) =>
    s3.send(
      new PutObjectCommand({
        ...{ Bucket, Key: keyOf(pattern, one), Body: 'probe' },
        ...(Tagging !== undefined && { Tagging }),
      }),
    );
  for (const one of who) {
    await put(vault, probe.data, one, 'holdfast-tier=staged');
    await put(vault, probe.manifest, one, 'holdfast-tier=staged');
    await put(vault, probe.catalogue, one);
    await put(vault, probe.evidence, one);
    await put(workspace, probe.run, one);
  }
}

const keyOf = (pattern: string, who: string): string =>
  pattern.replaceAll('probe-*', `probe-${who}`).replaceAll('b1-*', `b1-${who}`);
