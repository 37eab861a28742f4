/** `holdfast --env NAME cancel`: the execution is stopped, and what it left taken away, by the deployment's own CleanUp. */
import { cleanUpRun } from '../../aws/executions/clean-up-run.ts';
import { executionArnOf } from '../../aws/executions/execution-arn.ts';
import { readExecution } from '../../aws/executions/read-execution.ts';
import type { FunctionOutput } from '../../core/contract/functions.ts';
import type { MachineName } from '../../core/contract/names.ts';
import type { Deployment } from './deployment.ts';
import { namedByArn, namedInDeployment, noSuchRun } from './find-execution.ts';
import { lambdaClient, sfnClient } from './run-clients.ts';

export interface CancelledExecution {
  readonly machine: MachineName;
  readonly runId: string;
  readonly executionArn: string;
  /** `over`: it had ended before. */
  readonly how: 'over' | 'ended';
  /** As Step Functions calls it: SUCCEEDED, ABORTED … */
  readonly state: string;
  /** Null of a backup or a restore that succeeded: it left nothing. */
  readonly cleaned: FunctionOutput<'CleanUp'> | null;
}

/** @throws UsageError when there is no such run; DeploymentNotFoundError, AwsAccessDeniedError, AwsServiceError … */
export async function cancelExecution(
  deployment: Deployment,
  wanted: string,
): Promise<CancelledExecution> {
  const byArn = namedByArn(wanted, deployment);
  const sfn = await sfnClient((byArn?.place ?? deployment.place).region);
  const execution = byArn ?? (await namedInDeployment(sfn, wanted, deployment));
  const executionArn = executionArnOf(execution);
  const before = (await readExecution(sfn, executionArn))?.status;
  if (before === undefined) throw noSuchRun(execution);
  const about = { machine: execution.machine, runId: execution.name, executionArn };
  if (before === 'SUCCEEDED' && execution.machine !== 'drill') {
    return { ...about, how: 'over', state: before, cleaned: null };
  }
  // Of one that is over it finds nothing to do, unless something was left: by a drill, however it ended.
  const cleaned = await cleanUpRun(lambdaClient(execution.place.region), execution);
  const state = (await readExecution(sfn, executionArn))?.status ?? 'UNKNOWN';
  return { ...about, how: before === 'RUNNING' ? 'ended' : 'over', state, cleaned };
}
