/** Keys, their replicas and their aliases. */
import {
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  ListAliasesCommand,
  ListResourceTagsCommand,
} from '@aws-sdk/client-kms';
import { document, orNothing, type Reader } from './reader.ts';

export const key: Reader = async ({ kms }, KeyId) => {
  const { KeyMetadata: about } = await kms.send(new DescribeKeyCommand({ KeyId }));
  const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }));
  const rotation = await orNothing(
    kms.send(new GetKeyRotationStatusCommand({ KeyId })),
    'UnsupportedOperationException',
  );
  const { Tags } = await kms.send(new ListResourceTagsCommand({ KeyId }));
  return {
    Description: about?.Description,
    Enabled: about?.Enabled,
    KeySpec: about?.KeySpec,
    KeyUsage: about?.KeyUsage,
    MultiRegion: about?.MultiRegion,
    PrimaryKeyArn: about?.MultiRegionConfiguration?.PrimaryKey?.Arn,
    EnableKeyRotation: rotation?.KeyRotationEnabled ?? false,
    RotationPeriodInDays: rotation?.RotationPeriodInDays,
    KeyPolicy: document(Policy),
    Tags: Tags?.map(({ TagKey, TagValue }) => ({ Key: TagKey, Value: TagValue })),
  };
};

export const alias: Reader = async ({ kms }, name, { TargetKeyId }) => {
  const { Aliases } = await kms.send(new ListAliasesCommand({}));
  const found = Aliases?.find(({ AliasName }) => AliasName === name);
  // The template says the key's ARN or its id; the API always the id.
  const isArn = String(TargetKeyId).startsWith('arn:');
  const arn = isArn
    ? `${String(TargetKeyId).split('/')[0]}/${found?.TargetKeyId}`
    : found?.TargetKeyId;
  return { AliasName: found?.AliasName, TargetKeyId: arn };
};
