/** Which sources an environment has: the names of their parameters. */
import { paginateGetParametersByPath, type SSMClient } from '@aws-sdk/client-ssm';
import { namesOf } from '../../core/contract/names.ts';
import { awsError } from '../aws-error.ts';

/** @returns ascending @throws AwsAccessDeniedError, AwsServiceError */
export const sourceNamesOf =
  (ssm: SSMClient, environment: string) => async (): Promise<string[]> => {
    const path = namesOf(environment).sourceParameter('');
    const names: string[] = [];
    try {
      for await (const page of paginateGetParametersByPath({ client: ssm }, { Path: path })) {
        for (const { Name } of page.Parameters ?? []) {
          if (Name !== undefined) names.push(Name.slice(path.length));
        }
      }
    } catch (error) {
      throw awsError(error, { action: 'ssm:GetParametersByPath', what: path });
    }
    return names.sort();
  };
