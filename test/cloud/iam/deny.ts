/** Takes a right from one role while something is done, and gives it back. */
import { DeleteRolePolicyCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import type { FunctionName } from '../../../core/contract/functions.ts';
import { clientsIn, names } from '../deployed/harness.ts';
import { primaryRegion } from '../emulator-clients.ts';

export async function whileDenied<T>(
  name: FunctionName,
  Action: string,
  work: (roleName: string) => Promise<T>,
): Promise<T> {
  const { iam } = clientsIn(primaryRegion);
  const policy = {
    RoleName: names.roleName(name, primaryRegion),
    PolicyName: 'denied-by-a-test',
  };
  const Statement = [{ Effect: 'Deny', Action, Resource: '*' }];
  await iam.send(
    new PutRolePolicyCommand({
      ...policy,
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
    }),
  );
  try {
    return await work(policy.RoleName);
  } finally {
    await iam.send(new DeleteRolePolicyCommand(policy));
  }
}
