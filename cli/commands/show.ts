/** `holdfast show`: what one backup holds, by its signed manifest, and what is known about it. */
import { Command } from 'commander';
import type { EvidenceRecord } from '../../core/contract/catalogue.ts';
import { choiceSchema } from '../../core/contract/restore.ts';
import { readAllEvidence } from '../../core/evidence/record.ts';
import { chooseBackup } from '../../core/restore/choose-backup.ts';
import { addJson, addKey, addVaultOrBucket, type VaultOptions } from '../options.ts';
import { describeBackup } from '../output/describe-backup.ts';
import { print, printJson } from '../output/streams.ts';
import { readStore } from '../read-vault.ts';

interface ShowOptions extends VaultOptions {
  readonly source?: string;
}

export function showCommand(): Command {
  const command = new Command('show')
    .description('Show what a backup holds: tables, sizes, warnings, evidence.')
    .argument('[backup]', 'id of a backup, the beginning of one, or "latest"', 'latest')
    .option('--source <name>', 'of which source, when the vault has several')
    .addHelpText(
      'after',
      `
Examples:
  holdfast show latest --vault /backups/shop
  holdfast show shop-20261121T0400 --vault /backups/shop
  holdfast show latest --vault /backups/shop --json | jq .manifest.totals`,
    )
    .action(show);
  return addJson(addKey(addVaultOrBucket(command)));
}

async function show(wanted: string, options: ShowOptions): Promise<void> {
  const store = await readStore(options);
  const deps = { vault: store.vault, vaultId: store.marker.vaultId, keyRing: store.keyRing };
  const choice = choiceSchema.parse({ backup: wanted, source: options.source });
  const { manifest, sha256, entry } = await chooseBackup(deps, choice);
  const evidence: EvidenceRecord[] = [];
  for await (const record of readAllEvidence(deps, entry.source, entry.backupId))
    evidence.push(record);
  if (options.json)
    printJson({ backupId: entry.backupId, manifestSha256: sha256, manifest, evidence });
  else print(describeBackup(manifest, evidence));
}
