/** `holdfast rollback`: after a swap, the database that was put aside gets its name back, or is dropped for good. */
import { Command, Option } from 'commander';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { RestoreRun } from '../../core/contract/restore.ts';
import { findRestoreRun } from '../../core/restore/restore-run.ts';
import { discardPrevious, rollback } from '../../core/restore/rollback.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import type { Workspace } from '../../core/vault/vault.ts';
import { holdfastVersion } from '../../local/engine/version.ts';
import { confirmed } from '../confirm.ts';
import { onInterrupt } from '../interrupt.ts';
import { openVaultOf } from '../open.ts';
import { addJson, addVault, type VaultOptions } from '../options.ts';
import { print, printJson, printLine } from '../output/streams.ts';
import { addTarget, type TargetOptions, targetConnectionOf } from '../target.ts';

interface RollbackOptions extends VaultOptions, TargetOptions {
  readonly discard?: boolean;
  readonly disconnect?: boolean;
  readonly yes?: boolean;
}

export function rollbackCommand(): Command {
  const command = new Command('rollback')
    .description(
      'Take a restore of mode swap back: the database that it replaced gets its name again.',
    )
    .argument('<run>', 'id of the restore, or the beginning of it, as it was printed')
    .addOption(
      new Option('--discard', 'drop the database that was kept: no way back after that').conflicts(
        'disconnect',
      ),
    )
    .option('--disconnect', 'end the sessions of the database')
    .option('--yes', 'do it without asking');
  return addJson(addTarget(addVault(command)))
    .addHelpText(
      'after',
      `
Examples:
  holdfast rollback 20261121t042100z-0123abcd --vault /backups/shop --target postgresql://admin@localhost
  holdfast rollback 20261121t0421 --disconnect --yes --vault /backups/shop --target postgresql://admin@localhost
  holdfast rollback 20261121t0421 --discard --vault /backups/shop --target postgresql://admin@localhost

The restored database stays under its working name, closed; nothing is dropped without --discard.`,
    )
    .action(takeBack);
}

async function takeBack(wanted: string, options: RollbackOptions): Promise<void> {
  const connection = targetConnectionOf(options);
  const { workspace, vault, marker } = await openVaultOf(options);
  const run = await findRun(workspace, wanted);
  const { runId, finalDatabase, previousDatabase } = run;
  const deps = {
    ...{ workspace, vault, vaultId: marker.vaultId },
    connectionOf: async () => connection,
    now: () => new Date(),
    toolVersions: { holdfast: holdfastVersion(), node: process.versions.node },
  };
  const [now, kept] = [JSON.stringify(finalDatabase), JSON.stringify(previousDatabase)];
  if (options.discard) {
    if (previousDatabase !== null) {
      await confirmed(`Drop database ${kept}, which restore ${runId} put aside?`, options);
    }
    const { dropped } = await discardPrevious(deps, runId);
    if (options.json) printJson({ runId, dropped });
    else print(`Dropped database ${JSON.stringify(dropped)}.`);
    return;
  }
  if (previousDatabase !== null) {
    await confirmed(
      `Replace database ${now}, which restore ${runId} made, by ${kept}? What was written to it since stays in it, under another name.`,
      options,
    );
  }
  using interruption = onInterrupt(
    printLine,
    `Database ${now} is the restored one still, and is open. Roll back again when it suits.`,
  );
  const { signal } = interruption;
  const result = await rollback(deps, runId, { disconnect: options.disconnect === true, signal });
  if (options.json) printJson({ runId, ...result });
  else {
    print(
      [
        `Database ${JSON.stringify(result.database)} is again the one that was kept as ${JSON.stringify(result.restored)}.`,
        `  The restored one is ${JSON.stringify(result.putAside)} now; drop it when nobody needs it.`,
      ].join('\n'),
    );
  }
}

/** @throws RollbackImpossibleError, UsageError when more than one begins so */
async function findRun(workspace: Workspace, wanted: string): Promise<RestoreRun> {
  const ids = new Set<string>();
  for await (const key of workspace.list(workspaceKeys.restores)) {
    const id = key.split('/')[1] ?? '';
    if (wanted !== '' && id.startsWith(wanted)) ids.add(id);
  }
  const all = [...ids];
  if (all.length > 1 && !ids.has(wanted)) {
    throw new HoldfastError(
      'UsageError',
      `${JSON.stringify(wanted)} begins the ids of ${all.length} restores: ${all.slice(0, 3).join(', ')}.`,
      { hint: 'Give more of the id.' },
    );
  }
  const runId = ids.has(wanted) ? wanted : all[0];
  const run = runId === undefined ? undefined : await findRestoreRun(workspace, runId);
  if (run !== undefined) return run;
  throw new HoldfastError(
    'RollbackImpossibleError',
    `There is no restore ${JSON.stringify(wanted)} on record in ${workspace.location}.`,
    { hint: 'See `holdfast report`, which lists the restores.' },
  );
}
