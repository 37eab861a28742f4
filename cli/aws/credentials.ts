/** Whether anybody is logged in, asked of whichever client is there. */
import { said } from '../../aws/service-failure.ts';
import { HoldfastError } from '../../core/contract/errors.ts';

/**
 * Before the first request, so that it is told as what it is.
 * @throws AwsAccessDeniedError when there are no credentials, or a login has run out
 */
export async function requireCredentials(client: {
  readonly config: { readonly credentials: () => Promise<unknown> };
}): Promise<void> {
  try {
    await client.config.credentials();
  } catch (cause) {
    throw new HoldfastError(
      'AwsAccessDeniedError',
      `There are no credentials of AWS to work with: ${said(cause)}.`,
      {
        hint: 'Log in as for the AWS CLI (aws sso login, AWS_PROFILE, or AWS_ACCESS_KEY_ID and its like); `aws sts get-caller-identity` must answer.',
        cause,
      },
    );
  }
}
