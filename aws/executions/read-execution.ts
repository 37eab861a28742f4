/** What Step Functions says of executions: how one stands, what ran last, how far its map runs are. */
import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  ExecutionDoesNotExist,
  type ExecutionStatus,
  ListExecutionsCommand,
  ListMapRunsCommand,
  type SFNClient,
  StateMachineDoesNotExist,
} from '@aws-sdk/client-sfn';
import { type MachineName, namesOf, type Place } from '../../core/contract/names.ts';
import { awsError } from '../aws-error.ts';
import { notDeployed } from './start-execution.ts';

export interface ExecutionState {
  readonly status: ExecutionStatus;
  readonly startedAt: Date;
  readonly stoppedAt: Date | undefined;
  /** JSON; of one that succeeded. */
  readonly output: string | undefined;
  readonly error: string | undefined;
  readonly cause: string | undefined;
}

/** @returns undefined when there is no such execution @throws AwsAccessDeniedError, AwsServiceError */
export async function readExecution(
  sfn: SFNClient,
  executionArn: string,
): Promise<ExecutionState | undefined> {
  try {
    const it = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return {
      status: it.status ?? 'RUNNING',
      startedAt: it.startDate ?? new Date(),
      stoppedAt: it.stopDate,
      output: it.output,
      error: it.error,
      cause: it.cause,
    };
  } catch (error) {
    if (error instanceof ExecutionDoesNotExist) return undefined;
    throw awsError(error, { action: 'states:DescribeExecution', what: executionArn });
  }
}

export interface ListedExecution {
  readonly machine: MachineName;
  readonly name: string;
  readonly status: string;
  readonly startedAt: Date;
}

/** AWS gives up to 1,000 at once; further back somebody has a name or an ARN. */
const listedAtMost = 1_000;

/**
 * Of one machine, newest first.
 * @throws DeploymentNotFoundError, AwsAccessDeniedError, AwsServiceError
 */
export async function listExecutions(
  sfn: SFNClient,
  { environment, place, machine }: { environment: string; place: Place; machine: MachineName },
  statusFilter?: ExecutionStatus,
): Promise<ListedExecution[]> {
  const stateMachineArn = namesOf(environment).machineArn(machine, place);
  try {
    const { executions = [] } = await sfn.send(
      new ListExecutionsCommand({
        stateMachineArn,
        maxResults: listedAtMost,
        ...(statusFilter !== undefined && { statusFilter }),
      }),
    );
    return executions.map(({ name = '', status = 'RUNNING', startDate = new Date() }) => ({
      machine,
      name,
      status,
      startedAt: startDate,
    }));
  } catch (error) {
    if (error instanceof StateMachineDoesNotExist) {
      throw notDeployed({ environment, place, machine }, error);
    }
    throw awsError(error, { action: 'states:ListExecutions', what: stateMachineArn });
  }
}

export interface MapRun {
  readonly arn: string;
  readonly startedAt: Date;
  readonly done: number;
  readonly failed: number;
  readonly total: number;
  readonly isOver: boolean;
}

/**
 * @param known of an earlier look: one that was over is not asked for again
 * @throws AwsAccessDeniedError, AwsServiceError
 */
export async function readMapRuns(
  sfn: SFNClient,
  executionArn: string,
  known: ReadonlyMap<string, MapRun>,
): Promise<MapRun[]> {
  try {
    const { mapRuns = [] } = await sfn.send(new ListMapRunsCommand({ executionArn }));
    const found: MapRun[] = [];
    for (const { mapRunArn = '', startDate = new Date() } of mapRuns) {
      const before = known.get(mapRunArn);
      found.push(before?.isOver ? before : await readMapRun(sfn, mapRunArn, startDate));
    }
    return found;
  } catch (error) {
    throw awsError(error, { action: 'states:ListMapRuns, DescribeMapRun', what: executionArn });
  }
}

async function readMapRun(sfn: SFNClient, mapRunArn: string, startedAt: Date): Promise<MapRun> {
  const { status, itemCounts } = await sfn.send(new DescribeMapRunCommand({ mapRunArn }));
  const { succeeded = 0, failed = 0, timedOut = 0, aborted = 0, total = 0 } = itemCounts ?? {};
  return {
    arn: mapRunArn,
    startedAt,
    done: succeeded,
    failed: failed + timedOut + aborted,
    total,
    isOver: status !== 'RUNNING',
  };
}
