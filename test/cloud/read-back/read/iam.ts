/** Roles and the policies that CloudFormation puts into them. */
import {
  GetRoleCommand,
  GetRolePolicyCommand,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
} from '@aws-sdk/client-iam';
import { document, type Reader } from './reader.ts';

export const role: Reader = async ({ iam }, RoleName) => {
  const { Role } = await iam.send(new GetRoleCommand({ RoleName }));
  const attached = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
  const { PolicyNames } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  const policies = [];
  for (const PolicyName of PolicyNames ?? []) {
    const found = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
    policies.push({ PolicyName, PolicyDocument: document(found.PolicyDocument) });
  }
  return {
    RoleName: Role?.RoleName,
    Description: Role?.Description,
    Path: Role?.Path,
    MaxSessionDuration: Role?.MaxSessionDuration,
    AssumeRolePolicyDocument: document(Role?.AssumeRolePolicyDocument),
    ManagedPolicyArns: attached.AttachedPolicies?.map(({ PolicyArn }) => PolicyArn),
    Policies: policies,
    Tags: Role?.Tags,
  };
};

/** An inline policy in each of its roles. */
export const policy: Reader = async ({ iam }, _id, { PolicyName, Roles }) => {
  const documents = [];
  for (const RoleName of (Roles ?? []) as string[]) {
    const found = await iam.send(
      new GetRolePolicyCommand({ RoleName, PolicyName: String(PolicyName) }),
    );
    documents.push(document(found.PolicyDocument));
  }
  const first = JSON.stringify(documents[0]);
  const isSame = documents.every((other) => JSON.stringify(other) === first);
  return { PolicyName, Roles, PolicyDocument: isSame ? documents[0] : documents };
};
