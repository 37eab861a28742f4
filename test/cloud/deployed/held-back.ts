/** How a replica comes to be behind: S3 copies nothing for a while, and a function's clock says that an hour has gone by. */
import {
  GetFunctionConfigurationCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import {
  GetBucketReplicationCommand,
  PutBucketReplicationCommand,
  type ReplicationRuleStatus,
} from '@aws-sdk/client-s3';
import type { FunctionName } from '../../../core/contract/functions.ts';
import { primaryRegion } from '../emulator-clients.ts';
import { clientsIn, names, primary } from './harness.ts';

const { lambda, s3 } = clientsIn(primaryRegion);

/** What is written from now on is not copied, nor later. @returns what puts it back */
export async function holdBackCopies(): Promise<() => Promise<unknown>> {
  const Bucket = names.vaultBucket(primary());
  const { ReplicationConfiguration: was } = await s3.send(
    new GetBucketReplicationCommand({ Bucket }),
  );
  const put = (Status: ReplicationRuleStatus) => {
    const Rules = was?.Rules?.map((rule) => ({ ...rule, Status }));
    const ReplicationConfiguration = { Role: was?.Role, Rules };
    return s3.send(new PutBucketReplicationCommand({ Bucket, ReplicationConfiguration }));
  };
  await put('Disabled');
  return () => put('Enabled');
}

/** To that function it is so many seconds later than it is. @returns what puts it back */
export async function setClockAhead(
  name: FunctionName,
  seconds: number,
): Promise<() => Promise<unknown>> {
  const FunctionName = names.function(name);
  const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  const put = (more: Record<string, string>) =>
    lambda.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName,
        Environment: { Variables: { ...Environment?.Variables, ...more } },
      }),
    );
  const program = `
    const Real = Date;
    const now = () => Real.now() + ${seconds * 1000};
    globalThis.Date = class extends Real {
      constructor(...given) { super(...(given.length === 0 ? [now()] : given)); }
      static now() { return now(); }
    };`;
  const code = encodeURIComponent(program);
  await put({ NODE_OPTIONS: `--import=data:text/javascript,${code}` });
  return () => put({});
}
