/**
 * The end of an execution, told as a run on this machine is: the same summary, error and exit code; with --json the
 * execution's output.
 */
import type { SFNClient } from '@aws-sdk/client-sfn';
import { type Execution, executionArnOf } from '../../aws/executions/execution-arn.ts';
import { lastOutputOf } from '../../aws/executions/history.ts';
import type { ExecutionState } from '../../aws/executions/read-execution.ts';
import { backupReportSchema } from '../../core/contract/catalogue.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import { namesOf } from '../../core/contract/names.ts';
import { type RestoreReport, restoreReportSchema } from '../../core/contract/restore.ts';
import { failureFromCaught, toError } from '../../core/run/failure.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { exitCodeOfDrill, exitCodes } from '../exit-codes.ts';
import { preflightLines, preflightOf } from '../output/describe-preflight.ts';
import { describeRecovery } from '../output/describe-recovery.ts';
import { describeReport } from '../output/describe-report.ts';
import { describeDryRun, describeRestore, wayBackOnAws } from '../output/describe-restore.ts';
import { printable } from '../output/format.ts';
import { print, printJson, printLine } from '../output/streams.ts';
import type { SetExitCode } from '../program.ts';

/** A deployment that is newer than this command line may say more. */
const backupReport = backupReportSchema.loose();
const restoreReport = restoreReportSchema.loose();

/** @throws what the run failed by; RunAbortedError for one that was stopped, TaskTimedOutError */
export async function conclude(
  sfn: SFNClient,
  execution: Execution,
  ended: ExecutionState,
  options: { readonly json?: boolean },
  setExitCode: SetExitCode,
): Promise<void> {
  const { machine } = execution;
  const isDrill = machine === 'drill';
  const output = ended.status === 'SUCCEEDED' ? parsed(ended.output) : undefined;
  if (isDrill) {
    // Of a drill that failed, too: what it found is a result.
    const report = output ?? (await concludedDrill(sfn, execution, ended));
    if (report === undefined) throw errorOf(execution, ended);
    return tellDrill(report, options, setExitCode);
  }
  if (output === undefined) {
    const error = errorOf(execution, ended);
    throw machine === 'restore' ? withList(error, execution) : error;
  }
  if (machine === 'restore') tellRestore(output, options, setExitCode);
  else tellBackup(output, options);
}

function tellBackup(output: unknown, { json }: { readonly json?: boolean }): void {
  if (json) return printJson(output);
  const report = backupReport.safeParse(output);
  if (report.success) return print(describeReport(report.data));
  // Plan's own answer, for a scheduled time that another execution has claimed.
  const { isDuplicate, backupId } = output as { isDuplicate?: boolean; backupId?: string };
  if (isDuplicate) return print(`${backupId}: another run took this backup; nothing was done.`);
  printJson(output);
}

function tellRestore(
  output: unknown,
  { json }: { readonly json?: boolean },
  setExitCode: SetExitCode,
): void {
  const report = restoreReport.safeParse(output);
  if (report.success && report.data.preflight.some(({ verdict }) => verdict === 'failed')) {
    setExitCode(exitCodes.failed);
  }
  if (json || !report.success) return printJson(output);
  const isDryRun = report.data.kind === 'dry-run';
  print(isDryRun ? describeDryRun(report.data) : describeRestore(report.data, wayBackOnAws));
}

function tellDrill(
  output: unknown,
  { json }: { readonly json?: boolean },
  setExitCode: SetExitCode,
): void {
  const report = restoreReport.safeParse(output);
  if (report.success) setExitCode(exitCodeOfDrill(report.data));
  if (json || !report.success) printJson(output);
  else print(describeRecovery(report.data));
}

/** What ConcludeDrill said before the machine failed with the drill's error. */
async function concludedDrill(
  sfn: SFNClient,
  execution: Execution,
  { status }: ExecutionState,
): Promise<RestoreReport | undefined> {
  if (status !== 'FAILED') return undefined;
  const states = ['ConcludeDrill', 'ConcludeDrillThatFailed'];
  const text = await lastOutputOf(sfn, executionArnOf(execution), states);
  const report = restoreReport.safeParse(parsed(text));
  return report.success ? report.data : undefined;
}

/** Of a restore that preflight refused: shows its list, as on one machine, and says where its report is. */
function withList(error: HoldfastError, { environment, place, name }: Execution): HoldfastError {
  if (error.name !== 'PreflightFailedError') return error;
  const list = preflightOf(error);
  if (list !== undefined) printLine(preflightLines(list).map(printable).join('\n'));
  const page = `s3://${namesOf(environment).workspaceBucket(place)}/${workspaceKeys.restorePage(name)}`;
  const more = list === undefined ? ` The list: holdfast --env ${environment} report ${name}` : '';
  return new HoldfastError(error.name, error.message, {
    hint: `${error.hint}${more}`,
    evidence: { ...error.evidence, runId: name, page },
    cause: error,
  });
}

function errorOf(
  { machine, name }: Execution,
  { status, error, cause }: ExecutionState,
): HoldfastError {
  if (status === 'FAILED') return toError(failureFromCaught({ Error: error, Cause: cause ?? '' }));
  const why = [error, cause].filter((text) => text !== undefined && text !== '').join(': ');
  if (status === 'TIMED_OUT') {
    return new HoldfastError('TaskTimedOutError', `The ${machine} ${name} took too long.`, {
      hint: 'What it left is taken away by the function CleanUp. See in the console which state it was in.',
    });
  }
  return new HoldfastError(
    'RunAbortedError',
    `The ${machine} ${name} was stopped${why === '' ? '' : ` (${why})`}.`,
    {
      hint: 'What it left is taken away by the function CleanUp. Start it again when it is wanted.',
    },
  );
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
