/**
 * What each right means in IAM's words. Pure data: the stacks make policies of it, the tests walk it.
 *
 * Invariant: no statement here names `*` as a resource, and nothing is deleted in a vault.
 */

export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Operator → key → values. */
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, string | string[]>>>>;
}

/** What the functions of one Region may name. */
export interface Reach {
  readonly vaultArn: string;
  readonly workspaceArn: string;
  /** `kms:EncryptionContext:vault` of every data key. */
  readonly vaultId: string;
  readonly encryptionKeyArn: string;
  readonly signingKeyArn: string;
  /** The copy in the other Region: only in the primary, and only where there is one. */
  readonly replica?: {
    readonly vaultArn: string;
    readonly encryptionKeyArn: string;
    readonly signingKeyArn: string;
  };
  readonly parameterArns: readonly string[];
  readonly secretArns: readonly string[];
  readonly databaseArns: readonly string[];
  readonly databaseUserArns: readonly string[];
  readonly recordFunctionArn: string;
  readonly executionArns: readonly string[];
}

const staged = 'staged';
const tier = 'holdfast-tier';

const allow = (
  actions: readonly string[],
  resources: readonly string[],
  conditions?: Statement['conditions'],
): Statement => ({ effect: 'Allow', actions, resources, ...(conditions && { conditions }) });

/** S3 answers 404 for a missing key only to those who may list; anybody else hears 403, and we never read that as "not there". */
const mayList = (bucketArn: string): Statement => allow(['s3:ListBucket'], [bucketArn]);

const keys = (bucketArn: string, ...prefixes: string[]): string[] =>
  prefixes.map((prefix) => `${bucketArn}/${prefix}`);

const workspace = (arn: string, ...prefixes: string[]): Statement[] => [
  allow(['s3:GetObject', 's3:PutObject'], keys(arn, ...prefixes)),
  mayList(arn),
];

/** Versions too: what a manifest names, it names with its version. */
const read = (bucketArn: string, ...prefixes: string[]): Statement[] => [
  allow(['s3:GetObject', 's3:GetObjectVersion'], keys(bucketArn, ...prefixes)),
  mayList(bucketArn),
];

/** Tags and locks as they are now: what `head` tells. */
const readLocks = (bucketArn: string, ...prefixes: string[]): Statement =>
  allow(
    ['s3:GetObjectTagging', 's3:GetObjectRetention', 's3:GetObjectLegalHold'],
    keys(bucketArn, ...prefixes),
  );

const boundTo = (vaultId: string) => ({
  StringEquals: { 'kms:EncryptionContext:vault': vaultId },
});

/**
 * Objects that are born staged. A part of a multipart upload carries no tags, so the condition is `IfExists`: without
 * it UploadPart would be denied. What is born without a tag is kept for ever, which harms nobody.
 */
const putStaged = (vaultArn: string, ...prefixes: string[]): Statement[] => [
  allow(['s3:PutObject'], keys(vaultArn, ...prefixes), {
    StringEqualsIfExists: { [`s3:RequestObjectTag/${tier}`]: staged },
  }),
  allow(['s3:PutObjectTagging'], keys(vaultArn, ...prefixes), {
    StringEquals: { [`s3:RequestObjectTag/${tier}`]: staged },
  }),
  // Back to `staged` would give a kept backup to the garbage collection. A key that is not there yet has no tag: Null.
  {
    effect: 'Deny',
    actions: ['s3:PutObjectTagging'],
    resources: keys(vaultArn, 'backups/*'),
    conditions: {
      StringNotEquals: { [`s3:ExistingObjectTag/${tier}`]: staged },
      Null: { [`s3:ExistingObjectTag/${tier}`]: 'false' },
    },
  },
  allow(['s3:AbortMultipartUpload'], keys(vaultArn, ...prefixes)),
];

const retain = (vaultArn: string, ...prefixes: string[]): Statement =>
  allow(
    ['s3:PutObjectTagging', 's3:PutObjectRetention', 's3:PutObjectLegalHold'],
    keys(vaultArn, ...prefixes),
  );

export const rights = {
  /** Of the environment: how to reach sources and targets. */
  parameters: ({ parameterArns }) => [allow(['ssm:GetParameter'], parameterArns)],
  sourceNames: ({ parameterArns }) => [allow(['ssm:GetParametersByPath'], parameterArns)],
  /**
   * Log in to a database. A secret under a customer's own key needs that key's policy to let the role in: no function
   * gets kms:Decrypt on other keys for it.
   */
  connect: ({ secretArns, databaseArns, databaseUserArns }) =>
    [
      allow(['secretsmanager:GetSecretValue'], secretArns),
      allow(['rds:DescribeDBInstances', 'rds:DescribeDBClusters'], databaseArns),
      allow(['rds-db:connect'], databaseUserArns),
    ].filter(({ resources }) => resources.length > 0),

  /** The workspace of backups. */
  runs: ({ workspaceArn }) => workspace(workspaceArn, 'runs/*', 'leases/*'),
  claims: ({ workspaceArn }) => workspace(workspaceArn, 'claims/*'),
  dropRunParts: ({ workspaceArn }) => [
    allow(['s3:DeleteObject'], keys(workspaceArn, 'runs/*/units/*')),
  ],
  /** The workspace of restores and drills. */
  restores: ({ workspaceArn }) => workspace(workspaceArn, 'restores/*', 'leases/restores/*'),
  dropRestoreParts: ({ workspaceArn }) => [
    allow(['s3:DeleteObject'], keys(workspaceArn, 'restores/*/facts/*')),
  ],

  readMarker: ({ vaultArn }) => read(vaultArn, 'vault.json'),
  writeMarker: ({ vaultArn }) => [allow(['s3:PutObject'], keys(vaultArn, 'vault.json'))],
  putData: ({ vaultArn }) => putStaged(vaultArn, 'backups/*/data/*'),
  putSchema: ({ vaultArn }) => putStaged(vaultArn, 'backups/*/schema/*'),
  putManifest: ({ vaultArn }) =>
    putStaged(vaultArn, 'backups/*/manifest.json', 'backups/*/manifest.sig'),
  readManifest: ({ vaultArn }) =>
    read(vaultArn, 'backups/*/manifest.json', 'backups/*/manifest.sig'),
  headManifest: ({ vaultArn }) => [
    readLocks(vaultArn, 'backups/*/manifest.json', 'backups/*/manifest.sig'),
  ],
  readBackup: ({ vaultArn }) => [...read(vaultArn, 'backups/*'), readLocks(vaultArn, 'backups/*')],
  readCatalogue: ({ vaultArn }) => [
    ...read(vaultArn, 'catalog/*'),
    readLocks(vaultArn, 'catalog/*'),
  ],
  writeCatalogue: ({ vaultArn }) => [allow(['s3:PutObject'], keys(vaultArn, 'catalog/*'))],
  readEvidence: ({ vaultArn }) => read(vaultArn, 'evidence/*'),
  writeEvidence: ({ vaultArn }) => [allow(['s3:PutObject'], keys(vaultArn, 'evidence/*'))],
  /** Tier, lock and hold of a backup and of its entry in the catalogue. */
  retain: ({ vaultArn }) => [retain(vaultArn, 'backups/*', 'catalog/*')],

  /** A new data key; it opens nothing. */
  wrap: ({ encryptionKeyArn, vaultId }) => [
    allow(['kms:GenerateDataKey'], [encryptionKeyArn], boundTo(vaultId)),
  ],
  unwrap: ({ encryptionKeyArn, vaultId }) => [
    allow(['kms:Decrypt'], [encryptionKeyArn], boundTo(vaultId)),
  ],
  sign: ({ signingKeyArn }) => [allow(['kms:Sign'], [signingKeyArn])],
  /** For those who check signatures, where no public key is pinned. */
  publicKey: ({ signingKeyArn }) => [allow(['kms:GetPublicKey'], [signingKeyArn])],
  record: ({ recordFunctionArn }) => [allow(['lambda:InvokeFunction'], [recordFunctionArn])],

  /** Looks at the copy of a backup in the other Region as it is stored, and checks its signature. */
  readReplica: ({ replica }) =>
    replica === undefined
      ? []
      : [
          ...read(replica.vaultArn, 'backups/*', 'catalog/*', 'evidence/*'),
          readLocks(replica.vaultArn, 'backups/*', 'catalog/*'),
          allow(['kms:GetPublicKey'], [replica.signingKeyArn]),
        ],
  /** Opens it, with that Region's key. */
  unwrapReplica: ({ replica, vaultId }) =>
    replica === undefined
      ? []
      : [allow(['kms:Decrypt'], [replica.encryptionKeyArn], boundTo(vaultId))],
  /** Gives the copy the tags and locks of the original. */
  healReplica: ({ replica }) =>
    replica === undefined ? [] : [retain(replica.vaultArn, 'backups/*', 'catalog/*')],
  /** Children outlive a parent that was stopped. */
  // Also to read why a person stopped it.
  stopExecutions: ({ executionArns }) => [
    allow(['states:StopExecution', 'states:DescribeExecution'], executionArns),
  ],
} as const satisfies Record<string, (reach: Reach) => Statement[]>;

export type Right = keyof typeof rights;
