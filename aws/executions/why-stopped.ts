/** Why somebody stopped an execution: the event of its end does not say it, Step Functions does when asked. */
import {
  DescribeExecutionCommand,
  ExecutionDoesNotExist,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import type { Deps } from '../../core/contract/deps.ts';
import { namesOf, type Place } from '../../core/contract/names.ts';
import { awsError } from '../aws-error.ts';

export const whyStoppedOf =
  (sfn: SFNClient, environment: string, place: Place): NonNullable<Deps['whyStopped']> =>
  async (machine, runId) => {
    const executionArn = `${namesOf(environment)
      .machineArn(machine, place)
      .replace(':stateMachine:', ':execution:')}:${runId}`;
    try {
      return (await sfn.send(new DescribeExecutionCommand({ executionArn }))).cause;
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist) return undefined;
      throw awsError(error, { action: 'states:DescribeExecution', what: executionArn });
    }
  };
