import { join } from 'node:path';
import { openDirectoryVault } from '../../local/vault/directory-vault.ts';
import { openDirectoryWorkspace } from '../../local/vault/directory-workspace.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { vaultContract, workspaceContract } from '../support/vault-contract.ts';

const folder = temporaryFolders();

vaultContract('a directory', async () => openDirectoryVault(await folder()));
workspaceContract('a directory', async () =>
  openDirectoryWorkspace(join(await folder(), 'not', 'yet', 'made')),
);
