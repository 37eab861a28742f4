/** Settings of buckets, as CloudFormation writes them and as the API of S3 does: one function each way. */
import type {
  BucketLifecycleConfiguration,
  GetBucketLifecycleConfigurationCommandOutput,
  LifecycleRule,
  ObjectLockConfiguration,
  ReplicationConfiguration,
  ReplicationRule,
  Tag,
} from '@aws-sdk/client-s3';

interface TagFilter {
  readonly Key: string;
  readonly Value: string;
}

/** A rule of `AWS::S3::Bucket`; only what Holdfast's rules use. */
export interface TemplateLifecycleRule {
  readonly Id?: string;
  readonly Status: 'Enabled' | 'Disabled';
  readonly Prefix?: string;
  readonly TagFilters?: readonly TagFilter[];
  /** Bytes, as CloudFormation writes it: text. */
  readonly ObjectSizeGreaterThan?: string;
  readonly ExpirationInDays?: number;
  readonly ExpiredObjectDeleteMarker?: boolean;
  readonly NoncurrentVersionExpiration?: {
    readonly NoncurrentDays: number;
    readonly NewerNoncurrentVersions?: number;
  };
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation: number };
  readonly Transitions?: readonly {
    readonly StorageClass: string;
    readonly TransitionInDays: number;
  }[];
}

const without = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;

export function lifecycleToApi(
  rules: readonly TemplateLifecycleRule[],
): BucketLifecycleConfiguration {
  return { Rules: rules.map(ruleToApi) };
}

function ruleToApi(rule: TemplateLifecycleRule): LifecycleRule {
  const { Prefix, TagFilters } = rule;
  const tags = TagFilters?.map(({ Key, Value }) => ({ Key, Value })) ?? [];
  const [first] = tags;
  const ObjectSizeGreaterThan =
    rule.ObjectSizeGreaterThan === undefined ? undefined : Number(rule.ObjectSizeGreaterThan);
  const isSimple =
    (Prefix === undefined ? 0 : 1) + tags.length <= 1 && ObjectSizeGreaterThan === undefined;
  return without({
    ID: rule.Id,
    Status: rule.Status,
    Filter: isSimple
      ? first === undefined
        ? { Prefix: Prefix ?? '' }
        : { Tag: first }
      : { And: without({ Prefix, Tags: tags, ObjectSizeGreaterThan }) },
    Expiration:
      rule.ExpirationInDays === undefined && rule.ExpiredObjectDeleteMarker === undefined
        ? undefined
        : without({
            Days: rule.ExpirationInDays,
            ExpiredObjectDeleteMarker: rule.ExpiredObjectDeleteMarker,
          }),
    NoncurrentVersionExpiration: rule.NoncurrentVersionExpiration,
    AbortIncompleteMultipartUpload: rule.AbortIncompleteMultipartUpload,
    Transitions: rule.Transitions?.map(({ StorageClass, TransitionInDays }) => ({
      StorageClass: StorageClass as 'GLACIER_IR',
      Days: TransitionInDays,
    })),
  }) as LifecycleRule;
}

export function lifecycleFromApi(answer: GetBucketLifecycleConfigurationCommandOutput | undefined) {
  return answer === undefined ? undefined : { Rules: answer.Rules?.map(ruleFromApi) };
}

function ruleFromApi(rule: LifecycleRule) {
  const and = rule.Filter?.And;
  const tags: Tag[] = and?.Tags ?? (rule.Filter?.Tag === undefined ? [] : [rule.Filter.Tag]);
  const prefix = and?.Prefix ?? rule.Filter?.Prefix;
  return without({
    Id: rule.ID,
    Status: rule.Status,
    Prefix: prefix === '' ? undefined : prefix,
    TagFilters: tags.length === 0 ? undefined : tags,
    ObjectSizeGreaterThan: and?.ObjectSizeGreaterThan ?? rule.Filter?.ObjectSizeGreaterThan,
    ExpirationInDays: rule.Expiration?.Days,
    ExpiredObjectDeleteMarker: rule.Expiration?.ExpiredObjectDeleteMarker,
    NoncurrentVersionExpiration: rule.NoncurrentVersionExpiration,
    AbortIncompleteMultipartUpload: rule.AbortIncompleteMultipartUpload,
    Transitions: rule.Transitions?.map(({ StorageClass, Days }) => ({
      StorageClass,
      TransitionInDays: Days,
    })),
  });
}

export function lockFromApi(lock: ObjectLockConfiguration | undefined) {
  return lock === undefined
    ? undefined
    : without({ ObjectLockEnabled: lock.ObjectLockEnabled, Rule: lock.Rule });
}

/** Both write replication in the same words, but for the filter's conjunction. */
interface TemplateReplication {
  readonly Role: string;
  readonly Rules: readonly (Omit<ReplicationRule, 'Filter' | 'ID'> & {
    readonly Id?: string;
    readonly Filter?: { Prefix?: string };
  })[];
}

export const replicationToApi = ({
  Role,
  Rules,
}: TemplateReplication): ReplicationConfiguration => ({
  Role,
  Rules: Rules.map(({ Id, ...rule }) => ({ ...rule, ID: Id }) as ReplicationRule),
});

export function replicationFromApi(configuration: ReplicationConfiguration | undefined) {
  return configuration === undefined
    ? undefined
    : {
        Role: configuration.Role,
        Rules: configuration.Rules?.map(({ ID, ...rule }) => ({ ...rule, Id: ID })),
      };
}
