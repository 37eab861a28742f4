/**
 * Why a role may name more than one thing at once. Every pattern in a policy of ours has its reason here.
 *
 * Invariant: a pattern without a reason does not synthesize.
 */
import type { Role } from 'aws-cdk-lib/aws-iam';
import { except } from '../exceptions.ts';

const reasons: readonly (readonly [RegExp, string])[] = [
  [
    /^arn:aws:s3:::[^/]+\/(runs|claims|leases|restores|backups|catalog|evidence)\//,
    'Keys hold the ids of runs and backups, which are made when they run; the prefix says of what kind they are.',
  ],
  [/^arn:aws:ssm:[^*]+\/\*$/, 'The parameters of this environment: its sources and targets.'],
  [
    /^arn:aws:rds-db:[^*]+:dbuser:\*\/[^*]+$/,
    'The id of the server is not known without asking for it; the user of the database is.',
  ],
  [
    /^arn:aws:rds:[^*]+:db:\*$/,
    'Which reader of a cluster it is, is known when the cluster is asked.',
  ],
  [
    /^arn:aws:states:[^*]+:execution:[^*]+[:/]\*$/,
    'Executions of one machine: their names are made when they start.',
  ],
  [
    /^\*$/,
    'AWS has no resources to name for it: traces (X-Ray), delivery of logs, interfaces in a VPC before they exist.',
  ],
];

/** @throws Error, at synth, for a pattern that has no reason */
export function explainWildcards(role: Role, resources: readonly string[]): void {
  for (const resource of new Set(resources)) {
    if (!resource.includes('*')) continue;
    const reason = reasons.find(([pattern]) => pattern.test(resource))?.[1];
    if (reason === undefined) {
      throw new Error(
        `${role.node.path}: ${resource} names more than one thing, without a reason.`,
      );
    }
    except(role, `AwsSolutions-IAM5[Resource::${resource}]`, reason);
  }
}
