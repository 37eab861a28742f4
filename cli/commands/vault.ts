/** `holdfast vault upgrade`: are all backups of a format that this version writes? */
import { Command } from 'commander';
import { listCatalogue } from '../../core/evidence/catalogue.ts';
import { currentFormat } from '../../core/verify/manifest-formats.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import { openStore } from '../open.ts';
import { addJson, addKey, addVault, type VaultOptions } from '../options.ts';
import { plural } from '../output/format.ts';
import { print, printJson } from '../output/streams.ts';

interface UpgradeOptions extends VaultOptions {
  readonly json?: boolean;
}

export function vaultCommand(): Command {
  const upgrade = new Command('upgrade').description(
    'Bring backups of older formats to the newest one. Format 1 is the first, so today it only looks.',
  );
  addJson(addKey(addVault(upgrade)));
  upgrade.action(upgradeVault);
  return new Command('vault').description('Look after a vault as a whole.').addCommand(upgrade);
}

/** Every manifest is read with its signature: what cannot be read is an error, and not a format. */
async function upgradeVault(options: UpgradeOptions): Promise<void> {
  const store = await openStore(options);
  const deps = { ...store, vaultId: store.marker.vaultId };
  const formats: Record<string, number> = {};
  for await (const { source, backupId } of listCatalogue(store.vault)) {
    const { manifest } = await loadManifest(deps, source, backupId);
    formats[manifest.formatVersion] = (formats[manifest.formatVersion] ?? 0) + 1;
  }
  const count = Object.values(formats).reduce((sum, each) => sum + each, 0);
  if (options.json) printJson({ currentFormat, formats, upgraded: 0 });
  else {
    print(
      `${plural(count, 'backup')}, all of format ${currentFormat}, the newest that this version writes. Nothing to upgrade.`,
    );
  }
}
