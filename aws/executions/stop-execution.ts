/** Ends executions of our state machines: children outlive a parent that was stopped. */
import { ExecutionDoesNotExist, type SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import type { Deps } from '../../core/contract/deps.ts';
import { namesOf, type Place } from '../../core/contract/names.ts';
import { awsError } from '../aws-error.ts';

/** An execution that has ended is not changed by it, and one that never was is none to end. */
export const stopExecutionOf =
  (sfn: SFNClient, environment: string, place: Place): NonNullable<Deps['stopExecution']> =>
  async (machine, runId, cause) => {
    const executionArn = `${namesOf(environment)
      .machineArn(machine, place)
      .replace(':stateMachine:', ':execution:')}:${runId}`;
    try {
      await sfn.send(new StopExecutionCommand({ executionArn, error: 'RunAbortedError', cause }));
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist) return;
      throw awsError(error, { action: 'states:StopExecution', what: executionArn });
    }
  };
