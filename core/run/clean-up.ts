/**
 * The function CleanUp: what a Catch cannot do, because no Catch runs: an execution was stopped, timed out, or its own
 * Fail state failed. The run is marked as aborted, so that whoever still works on it ends; its sessions are ended, what it
 * had half made is taken away, its leases are given free, its outcome is recorded.
 *
 * Invariant: a run that has an outcome is left as it is, so that any number of calls does what one does, but for what an
 * earlier call could not do (`unclean`), or the run itself not take away (`uncleared`), which is tried again. It comes
 * after the end of an execution; called by a person it ends the execution first.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { FunctionInput, FunctionOutput } from '../contract/functions.ts';
import type { MachineName } from '../contract/names.ts';
import { getJson, putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { makeAttempts } from './attempt.ts';
import { cleanUpBackup } from './clean-up/backup.ts';
import type { Cleaning } from './clean-up/cleaning.ts';
import { cleanUpDrill } from './clean-up/drill.ts';
import { cleanUpRestore } from './clean-up/restore.ts';
import { type Failure, failureFromCaught, failureOf } from './failure.ts';

export type CleanedUp = FunctionOutput<'CleanUp'>;

const byMachine = { backup: cleanUpBackup, restore: cleanUpRestore, drill: cleanUpDrill } as const;

const uncleanSchema = z.strictObject({ troubles: z.array(z.string()) });

/**
 * @throws what keeps the workspace from being read: nothing is known of the run then; called by a rule, the first error
 * that another try may not have, so that Lambda calls again, and in the end the dead-letter queue and its alarm tell people
 */
export async function cleanUp(deps: Deps, input: FunctionInput<'CleanUp'>): Promise<CleanedUp> {
  const { machine, runId, failure, request, isOver } = endOf(await withReason(deps, input));
  if (isOver) return { machine, runId, found: 'ended', cleaned: [], troubles: [] };
  const attempts = makeAttempts();
  const { attempt, troubles, passing, cleaned } = attempts;
  const unclean = workspaceKeys.unclean(machine, runId);
  const earlier = await getJson(deps.workspace, uncleanSchema, unclean);
  const isAgain = earlier !== undefined && earlier.troubles.length > 0;
  const isCertain = !('runId' in input);
  if (!isCertain) {
    await attempt('The execution could not be stopped', async () => {
      await deps.stopExecution?.(machine, runId, failure.message);
    });
  }
  const cleaning: Cleaning = { ...attempts, deps, failure, request, isCertain, isAgain };
  const found = await byMachine[machine](cleaning, runId);
  // A rule does not look at the answer.
  for (const line of [...cleaned, ...troubles]) {
    deps.progress({ state: 'CleanUp', message: `${machine} ${runId}: ${line}` });
  }
  if (troubles.length > 0) deps.metric?.('CleanUpTroubles', troubles.length, { machine });
  if (passing.length > 0) await putJson(deps.workspace, unclean, { troubles });
  else if (isAgain) await putJson(deps.workspace, unclean, { troubles: [] });
  const [passingError] = passing;
  if (isCertain && passingError !== undefined) throw passingError;
  return { machine, runId, found, cleaned, troubles };
}

/** The event of an execution that was stopped does not repeat what was said by whoever stopped it. */
async function withReason(
  { whyStopped }: Pick<Deps, 'whyStopped'>,
  input: FunctionInput<'CleanUp'>,
): Promise<FunctionInput<'CleanUp'>> {
  if ('runId' in input || input.detail.status !== 'ABORTED' || input.detail.cause) return input;
  const { name, stateMachineArn } = input.detail;
  // Only the words would be missing.
  const cause = await whyStopped?.(machineOf(stateMachineArn), name).catch(() => undefined);
  return { ...input, detail: { ...input.detail, cause } };
}

interface End {
  readonly machine: MachineName;
  readonly runId: string;
  readonly failure: Failure;
  readonly request: unknown;
  readonly isOver: boolean;
}

function endOf(input: FunctionInput<'CleanUp'>): End {
  if ('runId' in input) {
    const { machine, runId } = input as { machine: MachineName; runId: string };
    return {
      machine,
      runId,
      failure: aborted(`The ${machine} ${runId} was cancelled.`),
      request: undefined,
      isOver: false,
    };
  }
  const { status, name, stateMachineArn, error, cause } = input.detail;
  const machine = machineOf(stateMachineArn);
  const isOver = status === 'SUCCEEDED' || status === 'RUNNING' || status === 'PENDING_REDRIVE';
  return {
    machine,
    runId: name,
    failure: failureOfEnd(machine, input.detail, error, cause),
    request: parseJson(input.detail.input),
    isOver,
  };
}

function failureOfEnd(
  machine: MachineName,
  { status, name }: { readonly status: string; readonly name: string },
  error: string | null | undefined,
  cause: string | null | undefined,
): Failure {
  if (status === 'FAILED' && error != null) {
    return failureFromCaught({ Error: error, Cause: cause ?? '' });
  }
  if (status === 'TIMED_OUT') {
    return failureFromCaught({
      Error: 'States.Timeout',
      Cause: `The ${machine} ${name} took too long.`,
    });
  }
  const why = [error, cause].filter((text) => text != null && text !== '').join(': ');
  return aborted(`The ${machine} ${name} was stopped${why === '' ? '' : ` (${why})`}.`);
}

/** An input of more than 200 KB or so is not in the event; one that is no JSON started no execution. */
function parseJson(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}

const aborted = (message: string): Failure =>
  failureOf(
    new HoldfastError('RunAbortedError', message, {
      hint: 'It was cleaned up after it. Start it again when it is wanted.',
    }),
  );

/** `…:stateMachine:holdfast-prod-backup` @throws ConfigurationError for one that is none of ours */
function machineOf(arn: string): MachineName {
  const [, machine] = /-(backup|restore|drill)$/.exec(arn) ?? [];
  if (machine !== undefined) return machine as MachineName;
  throw new HoldfastError(
    'ConfigurationError',
    `stateMachineArn is ${JSON.stringify(arn)}; allowed are those that end in -backup, -restore or -drill.`,
  );
}
