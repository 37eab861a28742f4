/** Starts an execution and follows it, or follows one that is there: what `backup`, `restore`, `drill` and `follow` do on AWS. */
import type { SFNClient } from '@aws-sdk/client-sfn';
import {
  consoleLinkOf,
  type Execution,
  executionArnOf,
} from '../../aws/executions/execution-arn.ts';
import { startExecution } from '../../aws/executions/start-execution.ts';
import { exitCodes } from '../exit-codes.ts';
import { openFollowView } from '../output/follow-view.ts';
import { print, printJson, printLine } from '../output/streams.ts';
import type { SetExitCode } from '../program.ts';
import { conclude } from './conclude.ts';
import { followExecution } from './follow-execution.ts';
import { sfnClient } from './run-clients.ts';

export interface FollowOptions {
  readonly json?: boolean;
  readonly detach?: boolean;
  /** We have started it ourselves just now. */
  readonly isNew?: boolean;
}

/**
 * @param cancelBy the command line that would end it, for who leaves it
 * @throws DeploymentNotFoundError, AwsAccessDeniedError, AwsServiceError; what the run failed by
 */
export async function runOnAws(
  execution: Execution,
  input: unknown,
  cancelBy: string,
  options: FollowOptions,
  setExitCode: SetExitCode,
): Promise<void> {
  const sfn = await sfnClient(execution.place.region);
  await startExecution(sfn, execution, input);
  if (options.detach) {
    if (options.json) return printJson(describe(execution, 'RUNNING'));
    return print(
      `Started ${execution.name}.\n  holdfast follow ${executionArnOf(execution)}\n  ${consoleLinkOf(execution)}`,
    );
  }
  printLine(`Started ${execution.name} in ${execution.place.region}.`);
  await followOnAws(sfn, execution, cancelBy, { ...options, isNew: true }, setExitCode);
}

/** To its end, or until Ctrl-C: exit code 1 then, because nobody has seen it succeed. */
export async function followOnAws(
  sfn: SFNClient,
  execution: Execution,
  cancelBy: string,
  options: FollowOptions,
  setExitCode: SetExitCode,
): Promise<void> {
  printLine(`  ${executionArnOf(execution)}\n  ${consoleLinkOf(execution)}`);
  const view = openFollowView();
  using leaving = onLeave();
  const how = { signal: leaving.signal, isNew: options.isNew === true };
  const ended = await followExecution(sfn, execution, view, how).finally(view.end);
  if (ended !== undefined) return conclude(sfn, execution, ended, options, setExitCode);
  printLine(
    [
      'No longer followed; the run goes on.',
      `  To follow it again: holdfast follow ${executionArnOf(execution)}`,
      `  To end it:          ${cancelBy}`,
    ].join('\n'),
  );
  if (options.json) printJson(describe(execution, 'RUNNING'));
  setExitCode(exitCodes.failed);
}

const describe = (execution: Execution, status: string) => ({
  executionArn: executionArnOf(execution),
  runId: execution.name,
  status,
  console: consoleLinkOf(execution),
});

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The first one ends the following in order, the second one at once; neither reaches the run. */
function onLeave(): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(exitCodes.failed);
    controller.abort();
  };
  for (const name of signals) process.on(name, onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of signals) process.removeListener(name, onSignal);
    },
  };
}
