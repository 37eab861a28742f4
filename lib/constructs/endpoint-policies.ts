/**
 * Who may use the endpoints that we make (what may be done says the role): the account's own principals, so that nobody
 * carries anything out through them with keys of another account.
 */
import { Effect, PolicyDocument, PolicyStatement, StarPrincipal } from 'aws-cdk-lib/aws-iam';

const anybody = (own: {
  readonly actions: string[];
  readonly resources: string[];
  readonly conditions?: Record<string, Record<string, string>>;
}) => new PolicyStatement({ effect: Effect.ALLOW, principals: [new StarPrincipal()], ...own });

const ofAccount = (account: string) =>
  anybody({
    actions: ['*'],
    resources: ['*'],
    conditions: { StringEquals: { 'aws:PrincipalAccount': account } },
  });

export const interfacePolicy = (account: string): PolicyDocument =>
  new PolicyDocument({ statements: [ofAccount(account)] });

/**
 * All that is in these subnets goes to S3 by the gateway, not our functions alone. Layers of container images, packages
 * and agents are read with a signature of AWS's own or with none; custom resources of CloudFormation answer to URLs that
 * CloudFormation has signed, in its two buckets of the Region. Nothing of Holdfast's needs either.
 */
export const s3Policy = (account: string, region: string): PolicyDocument =>
  new PolicyDocument({
    statements: [
      ofAccount(account),
      anybody({ actions: ['s3:GetObject'], resources: ['*'] }),
      anybody({
        actions: ['s3:PutObject'],
        resources: [
          `arn:aws:s3:::cloudformation-custom-resource-response-${region.replaceAll('-', '')}/*`,
          `arn:aws:s3:::cloudformation-waitcondition-${region}/*`,
        ],
      }),
    ],
  });
