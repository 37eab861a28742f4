/** State machines, schedules, parameters, log groups, endpoints of a network. */
import { isDeepStrictEqual } from 'node:util';
import { DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeVpcEndpointsCommand } from '@aws-sdk/client-ec2';
import { GetScheduleCommand, GetScheduleGroupCommand } from '@aws-sdk/client-scheduler';
import { DescribeStateMachineCommand, ListTagsForResourceCommand } from '@aws-sdk/client-sfn';
import { DescribeParametersCommand, GetParameterCommand } from '@aws-sdk/client-ssm';
import { document, type Reader } from './reader.ts';

export const stateMachine: Reader = async ({ sfn }, stateMachineArn, wanted) => {
  const it = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn }));
  const { tags } = await sfn.send(new ListTagsForResourceCommand({ resourceArn: stateMachineArn }));
  const definition = document(it.definition);
  // Substitutions are filled in by CloudFormation; white space is its own.
  const substitutions = (wanted['DefinitionSubstitutions'] ?? {}) as Record<string, string>;
  const filled = String(wanted['DefinitionString']).replaceAll(
    /\$\{(\w+)\}/g,
    (whole, name: string) => substitutions[name] ?? whole,
  );
  const isSame = isDeepStrictEqual(document(filled), definition);
  return {
    StateMachineName: it.name,
    StateMachineType: it.type,
    RoleArn: it.roleArn,
    DefinitionString: isSame ? wanted['DefinitionString'] : it.definition,
    DefinitionSubstitutions: wanted['DefinitionSubstitutions'],
    LoggingConfiguration: {
      Level: it.loggingConfiguration?.level,
      IncludeExecutionData: it.loggingConfiguration?.includeExecutionData,
      Destinations: it.loggingConfiguration?.destinations?.map((destination) => ({
        CloudWatchLogsLogGroup: {
          LogGroupArn: destination.cloudWatchLogsLogGroup?.logGroupArn,
        },
      })),
    },
    TracingConfiguration: { Enabled: it.tracingConfiguration?.enabled },
    Tags: tags?.map(({ key, value }) => ({ Key: key, Value: value })),
  };
};

export const schedule: Reader = async ({ scheduler }, id, { GroupName }) => {
  const it = await scheduler.send(
    new GetScheduleCommand({
      Name: id.split('/').at(-1),
      GroupName: String(GroupName ?? 'default'),
    }),
  );
  return { ...it };
};

export const scheduleGroup: Reader = async ({ scheduler }, id) => ({
  ...(await scheduler.send(new GetScheduleGroupCommand({ Name: id.split('/').at(-1) }))),
});

export const parameter: Reader = async ({ ssm }, Name) => {
  const { Parameter: it } = await ssm.send(new GetParameterCommand({ Name }));
  const described = await ssm.send(
    new DescribeParametersCommand({
      ParameterFilters: [{ Key: 'Name', Option: 'Equals', Values: [Name] }],
    }),
  );
  const { Description, Tier } = described.Parameters?.[0] ?? {};
  return {
    Name: it?.Name,
    Type: it?.Type,
    Value: it?.Value,
    DataType: it?.DataType,
    Description,
    Tier,
  };
};

export const logGroup: Reader = async ({ logs }, name) => {
  const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name }));
  const it = logGroups?.find(({ logGroupName }) => logGroupName === name);
  return {
    LogGroupName: it?.logGroupName,
    RetentionInDays: it?.retentionInDays,
    KmsKeyId: it?.kmsKeyId,
    LogGroupClass: it?.logGroupClass,
  };
};

export const vpcEndpoint: Reader = async ({ ec2 }, id) => {
  const { VpcEndpoints } = await ec2.send(
    new DescribeVpcEndpointsCommand({ VpcEndpointIds: [id] }),
  );
  const it = VpcEndpoints?.[0];
  return {
    VpcId: it?.VpcId,
    ServiceName: it?.ServiceName,
    VpcEndpointType: it?.VpcEndpointType,
    PolicyDocument: document(it?.PolicyDocument),
    PrivateDnsEnabled: it?.PrivateDnsEnabled,
    SubnetIds: it?.SubnetIds,
    RouteTableIds: it?.RouteTableIds,
    SecurityGroupIds: it?.Groups?.map(({ GroupId }) => GroupId),
  };
};
