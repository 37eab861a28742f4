/** S3Vault and S3Workspace do all that every adapter must do. A bucket for each test. */
import { openS3Vault } from '../../aws/vault/s3-vault.ts';
import { openS3Workspace } from '../../aws/vault/s3-workspace.ts';
import { vaultContract, workspaceContract } from '../support/vault-contract.ts';
import { makeVaultBucket, makeWorkspaceBucket } from './vault-buckets.ts';

vaultContract('S3Vault', async () =>
  openS3Vault({ ...(await makeVaultBucket()), lockMode: 'GOVERNANCE' }),
);
vaultContract('S3Vault in COMPLIANCE mode', async () =>
  openS3Vault({ ...(await makeVaultBucket()), lockMode: 'COMPLIANCE' }),
);
workspaceContract('S3Workspace', async () => openS3Workspace(await makeWorkspaceBucket()));
