/** `holdfast init`: a new vault and, unless one is named that exists, a new key file. */
import { Command } from 'commander';
import { defaultKeyFilePath } from '../../local/keyring/key-file.ts';
import { initVault } from '../../local/vault/open-vault.ts';
import { namedKeyFile, vaultFolderOf } from '../open.ts';
import { addJson, addKey, addVault, type VaultOptions } from '../options.ts';
import { print, printJson } from '../output/streams.ts';

export function initCommand(): Command {
  const command = new Command('init')
    .description('Make a vault and the key that opens it.')
    .addHelpText(
      'after',
      `
Examples:
  holdfast init --vault /backups/shop
  holdfast init --vault /backups/shop --key ~/holdfast-key.json`,
    )
    .action(init);
  return addJson(addKey(addVault(command)));
}

async function init(options: VaultOptions): Promise<void> {
  const made = await initVault(vaultFolderOf(options), {
    keyFile: namedKeyFile(options) ?? ((vaultId) => defaultKeyFilePath(vaultId, process.env)),
  });
  if (options.json) {
    printJson({
      vault: made.root,
      vaultId: made.marker.vaultId,
      keyFile: made.keyFile,
      encryptionKeyId: made.marker.encryptionKeyId,
      signingKeyId: made.marker.signingKeyId,
    });
    return;
  }
  print(`Made the vault ${made.root} (${made.marker.vaultId}).
Its key is in  ${made.keyFile}

  Keep a copy of this key file somewhere else than on this machine and apart from the backups.
  Without it nobody, not even you, can open them.

Next:
  holdfast backup --vault ${shellWord(made.root)} --database postgresql://USER@HOST/DATABASE`);
}

const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
