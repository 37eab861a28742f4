/**
 * From the options of `holdfast --env NAME backup` to the input of an execution.
 *
 * Invariant: what was not said is not in it, so that what the environment says of the source holds.
 */
import type { Command } from 'commander';
import type { z } from 'zod';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { backupInputSchema } from '../../core/contract/plan.ts';
import { gitLabels } from '../labels.ts';
import { filtersOf } from '../options.ts';
import type { BackupOptions } from '../take-backup.ts';
import { who } from '../who.ts';
import { type Deployment, sourceIn } from './deployment.ts';
import { isSaid, refuseOnlyHere } from './only-here.ts';

const filterOptions = [
  'schema',
  'excludeSchema',
  'table',
  'excludeTable',
  'excludeTableData',
  'schemaOnly',
  'dataOnly',
];

/** @param argument SOURCE of the command line; `--source` says the same @throws UsageError */
export async function backupInputOf(
  deployment: Deployment,
  argument: string | undefined,
  options: BackupOptions,
  command: Command,
): Promise<z.input<typeof backupInputSchema>> {
  refuseOnlyHere(command);
  if (argument !== undefined && options.source !== undefined && argument !== options.source) {
    throw new HoldfastError(
      'UsageError',
      `${JSON.stringify(argument)} and --source ${JSON.stringify(options.source)} are two sources.`,
      { hint: 'Name one: holdfast --env NAME backup SOURCE.' },
    );
  }
  const settings = {
    ...(options.jobs !== undefined && { jobs: options.jobs }),
    ...(isSaid(command, 'onBlockedDdl') && { onBlockedDdl: options.onBlockedDdl }),
  };
  return {
    source: sourceIn(deployment, argument ?? options.source),
    tier: options.tier,
    labels: { ...(await gitLabels()), ...options.label },
    ...(filterOptions.some((name) => isSaid(command, name)) && { filters: filtersOf(options) }),
    ...(Object.keys(settings).length > 0 && { options: settings }),
    requestedBy: who(),
  };
}
