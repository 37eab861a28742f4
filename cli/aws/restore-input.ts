/** From the options of `holdfast --env NAME restore` and `drill` to the input of an execution; what replaces is asked for. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { drillInputSchema, restoreInputSchema } from '../../core/contract/restore.ts';
import { confirmed } from '../confirm.ts';
import {
  type CheckFlags,
  type ChoiceFlags,
  checksOf,
  choiceOf,
  type ObjectiveFlags,
  objectivesOf,
  type RestoreOptions,
  type RoleFlags,
  requestOf,
  rolesOf,
} from '../restore-options.ts';
import type { TargetOptions } from '../target.ts';
import { who } from '../who.ts';
import { type Deployment, sourceIn, targetIn } from './deployment.ts';
import { refuseOnlyHere } from './only-here.ts';

export interface DrillFlags
  extends TargetOptions,
    RoleFlags,
    CheckFlags,
    ObjectiveFlags,
    ChoiceFlags {
  readonly jobs?: number;
  readonly keep?: boolean;
}

type RestoreInput = z.input<typeof restoreInputSchema>;
type DrillInput = z.input<typeof drillInputSchema>;

/** @throws UsageError, also when a replacement is not confirmed */
export async function restoreInputOf(
  deployment: Deployment,
  backup: string | undefined,
  options: RestoreOptions,
  command: Command,
): Promise<RestoreInput> {
  refuseOnlyHere(command);
  const { hooks: _, ...request } = await requestOf(backup, options);
  refuseCommands(request.checks ?? []);
  const { name, mode } = options;
  if (mode === 'into' && name === undefined) {
    throw new HoldfastError('UsageError', '--mode into needs the database to write into.', {
      hint: 'Add --name DATABASE. Nothing was started.',
    });
  }
  if (options.source !== undefined) sourceIn(deployment, options.source);
  const input = {
    ...request,
    target: targetIn(deployment, options.target),
    ...(name !== undefined && { database: name }),
    ...jobsIn(options),
  };
  await confirmReplacing(deployment, input, options);
  return input;
}

/** @throws UsageError */
export async function drillInputOf(
  deployment: Deployment,
  backup: string | undefined,
  options: DrillFlags,
  command: Command,
): Promise<DrillInput> {
  refuseOnlyHere(command);
  const checks = await checksOf(options);
  refuseCommands(checks);
  if (options.source !== undefined) sourceIn(deployment, options.source);
  return {
    target: targetIn(deployment, options.target ?? usualTarget(deployment, options.source)),
    choice: choiceOf(backup, options),
    roles: rolesOf(options),
    checks,
    objectives: objectivesOf(options),
    keepScratch: options.keep === true,
    ...jobsIn(options),
    requestedBy: who(),
  };
}

const jobsIn = ({ jobs }: { readonly jobs?: number }) =>
  jobs === undefined ? {} : { options: { jobs } };

/** Where the scheduled drills of the source go: in the primary Region, whose schedules they are. */
function usualTarget(
  { environment, isReplica }: Deployment,
  source: string | undefined,
): string | undefined {
  const { sources, exercise } = environment;
  if (isReplica) return exercise?.target;
  const meant = source === undefined && sources.length === 1 ? sources[0]?.name : source;
  return sources.find(({ name }) => name === meant)?.drill?.target;
}

/** Of `--checks FILE`, which may have both kinds. */
function refuseCommands(checks: readonly { readonly name: string }[]): void {
  const shell = checks.find((check) => 'command' in check);
  if (shell === undefined) return;
  throw new HoldfastError(
    'UsageError',
    `The check ${JSON.stringify(shell.name)} is a command: there is no shell in Lambda.`,
    { hint: 'Write it as SQL, or run it here afterwards. Nothing was started.' },
  );
}

async function confirmReplacing(
  { environment, place }: Deployment,
  { mode, selection, database, target, choice, safetyBackup, dryRun }: RestoreInput,
  options: { readonly yes?: boolean },
): Promise<void> {
  const isReplacing = mode === 'swap' || (mode === 'into' && selection?.onConflict === 'replace');
  if (!isReplacing || dryRun === true) return;
  const what = choice?.source === undefined ? '' : ` of ${choice.source}`;
  const by = `backup ${choice?.backup ?? 'latest'}${what}${choice?.at === undefined ? '' : ` at ${choice.at}`}`;
  const where = `${database === undefined ? 'the database of that name' : `database ${JSON.stringify(database)}`} on ${target} (${environment.name}, ${place.region})`;
  const kept =
    safetyBackup === false ? 'No backup of it is taken.' : 'A backup of it is taken first.';
  await confirmed(
    mode === 'swap'
      ? `Replace ${where} by ${by}? ${kept} The old one is kept aside under another name.`
      : `Replace rows of ${where} by those of ${by}? ${kept}`,
    options,
  );
}
