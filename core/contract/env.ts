/** Names of the environment variables that Holdfast reads itself (the PG* ones are libpq's). */
export const envNames = {
  vault: 'HOLDFAST_VAULT',
  keyFile: 'HOLDFAST_KEY_FILE',
  database: 'DATABASE_URL',
  /** Where to restore to; never the same variable as where from. */
  restoreDatabase: 'RESTORE_DATABASE_URL',
} as const;

/** Set by the stacks for every function on AWS. Nothing secret: environments of functions can be read by many. */
export const functionEnvNames = {
  environment: 'HOLDFAST_ENVIRONMENT',
  vaultBucket: 'HOLDFAST_VAULT_BUCKET',
  workspaceBucket: 'HOLDFAST_WORKSPACE_BUCKET',
  vaultId: 'HOLDFAST_VAULT_ID',
  /** ARNs of the multi-Region keys in the function's own Region. */
  encryptionKey: 'HOLDFAST_ENCRYPTION_KEY',
  signingKey: 'HOLDFAST_SIGNING_KEY',
  /** JSON: `signingPublicKeys` of the environment. Absent: the signing key is asked. */
  signingPublicKeys: 'HOLDFAST_SIGNING_PUBLIC_KEYS',
  /** Only where there is a replica, and only in the primary Region. */
  replicaBucket: 'HOLDFAST_REPLICA_BUCKET',
  replicaRegion: 'HOLDFAST_REPLICA_REGION',
  replicaEncryptionKey: 'HOLDFAST_REPLICA_ENCRYPTION_KEY',
  lockMode: 'HOLDFAST_LOCK_MODE',
  /** Name of the function that signs and writes evidence; absent in that function itself. */
  recordFunction: 'HOLDFAST_RECORD_FUNCTION',
} as const;
