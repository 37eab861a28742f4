/** Starts an execution of one of our state machines, as a person does: under a name of its own. */
import {
  ExecutionAlreadyExists,
  type SFNClient,
  StartExecutionCommand,
  StateMachineDoesNotExist,
} from '@aws-sdk/client-sfn';
import { HoldfastError } from '../../core/contract/errors.ts';
import { namesOf } from '../../core/contract/names.ts';
import { awsError } from '../aws-error.ts';
import { type Execution, executionArnOf } from './execution-arn.ts';

/**
 * @param execution its name must be random in part: one that is taken already is ours then, started by a request whose
 * answer was lost
 * @throws DeploymentNotFoundError, AwsAccessDeniedError, AwsServiceError
 */
export async function startExecution(
  sfn: SFNClient,
  execution: Execution,
  input: unknown,
): Promise<void> {
  const { environment, machine, place, name } = execution;
  const stateMachineArn = namesOf(environment).machineArn(machine, place);
  try {
    await sfn.send(
      new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }),
    );
  } catch (error) {
    if (error instanceof ExecutionAlreadyExists) return;
    if (error instanceof StateMachineDoesNotExist) throw notDeployed(execution, error);
    throw awsError(error, {
      action: 'states:StartExecution',
      what: executionArnOf(execution),
    });
  }
}

export const notDeployed = (
  { environment, place: { account, region }, machine }: Omit<Execution, 'name'>,
  cause?: unknown,
): HoldfastError =>
  new HoldfastError(
    'DeploymentNotFoundError',
    `There is no state machine ${namesOf(environment).machine(machine)} in account ${account}, Region ${region}.`,
    {
      hint: `Deploy it: npx cdk deploy --all -c env=${environment} (docs/deploy.md), or name another environment.`,
      cause,
    },
  );
