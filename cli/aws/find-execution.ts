/** The execution that a person means: by its ARN, by its name, or by the beginning of that. */
import type { SFNClient } from '@aws-sdk/client-sfn';
import { type Execution, executionArnOf, executionOf } from '../../aws/executions/execution-arn.ts';
import {
  type ListedExecution,
  listExecutions,
  readExecution,
} from '../../aws/executions/read-execution.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { MachineName } from '../../core/contract/names.ts';
import { type Deployment, executionIn } from './deployment.ts';

const machines: readonly MachineName[] = ['backup', 'restore', 'drill'];

const isArn = (wanted: string): boolean => wanted.startsWith('arn:');

/**
 * Of an ARN, without asking anybody.
 * @returns undefined for a name
 * @throws UsageError for the ARN of anything else, or of another environment than the one named
 */
export function namedByArn(wanted: string, deployment?: Deployment): Execution | undefined {
  if (!isArn(wanted)) return undefined;
  const execution = executionOf(wanted);
  if (execution === undefined) {
    throw new HoldfastError('UsageError', `${wanted} is no execution of Holdfast.`, {
      hint: 'It looks like arn:aws:states:REGION:ACCOUNT:execution:holdfast-ENV-backup:NAME.',
    });
  }
  const named = deployment?.environment.name;
  if (named === undefined || named === execution.environment) return execution;
  throw new HoldfastError(
    'UsageError',
    `${wanted} is of the environment ${execution.environment}, and --env says ${named}.`,
    { hint: 'An ARN says all that is needed: leave --env out.' },
  );
}

export const noSuchRun = ({ name, machine, place }: Execution): HoldfastError =>
  new HoldfastError('UsageError', `There is no ${machine} ${name} in ${place.region}.`, {
    hint: 'The ARN of an execution is in what its start printed, and in the console; AWS keeps it for 90 days after its end.',
  });

/** @throws UsageError when there is none, or more than one; DeploymentNotFoundError … */
export async function namedInDeployment(
  sfn: SFNClient,
  wanted: string,
  deployment: Deployment,
): Promise<Execution> {
  for (const machine of machines) {
    const execution = executionIn(deployment, machine, wanted);
    if ((await readExecution(sfn, executionArnOf(execution))) !== undefined) return execution;
  }
  const all = await listed(sfn, deployment);
  const begun = all.filter(({ name }) => name.startsWith(wanted));
  // The children of a run bear its name with a suffix.
  const parents = begun.filter(
    ({ name }) => !begun.some((other) => name !== other.name && name.startsWith(`${other.name}-`)),
  );
  const [only, ...others] = parents;
  if (only !== undefined && others.length === 0) {
    return executionIn(deployment, only.machine, only.name);
  }
  const { name } = deployment.environment;
  const names = parents.slice(0, 3).map((each) => each.name);
  throw new HoldfastError(
    'UsageError',
    only === undefined
      ? `The environment ${name} has no run ${JSON.stringify(wanted)} in ${deployment.place.region}.`
      : `${JSON.stringify(wanted)} begins the names of ${parents.length} runs: ${names.join(', ')}.`,
    {
      hint:
        only === undefined
          ? `See holdfast ${deployment.said} status for those that run now, or the console.`
          : 'Give more of the name.',
    },
  );
}

/** Of all machines, those that run now; newest first within a machine. */
export const runningIn = (sfn: SFNClient, deployment: Deployment): Promise<ListedExecution[]> =>
  listed(sfn, deployment, 'RUNNING');

async function listed(
  sfn: SFNClient,
  { environment: { name: environment }, place }: Deployment,
  status?: 'RUNNING',
): Promise<ListedExecution[]> {
  const of = (machine: MachineName) => listExecutions(sfn, { environment, place, machine }, status);
  return (await Promise.all(machines.map(of))).flat();
}
