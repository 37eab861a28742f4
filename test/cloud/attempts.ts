/** What became of a state's attempts, by the history that Step Functions itself writes. */
import { paginateGetExecutionHistory, type SFNClient } from '@aws-sdk/client-sfn';

/** @returns for each call of the function by that execution the name of its error, or `succeeded` */
export async function attemptsOf(
  client: SFNClient,
  executionArn: string,
  functionArn: string,
): Promise<string[]> {
  const attempts: string[] = [];
  for await (const { events = [] } of paginateGetExecutionHistory({ client }, { executionArn })) {
    for (const { taskFailedEventDetails: failed, taskSucceededEventDetails: succeeded } of events) {
      if (failed?.resource === functionArn) attempts.push(String(failed.error));
      if (succeeded?.resource === functionArn) attempts.push('succeeded');
    }
  }
  return attempts;
}
