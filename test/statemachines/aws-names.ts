/**
 * Names of errors as AWS writes them, for what no test can throw: copied from the pages named, so that a slip of ours in
 * Retry or Catch is found. Read in November 2026.
 */

export const documented: Readonly<Record<string, readonly string[]>> = {
  // "Error names"
  'https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html': [
    'States.ALL',
    'States.DataLimitExceeded',
    'States.ExceedToleratedFailureThreshold',
    'States.HeartbeatTimeout',
    'States.Http.Socket',
    'States.IntrinsicFailure',
    'States.ItemReaderFailed',
    'States.NoChoiceMatched',
    'States.ParameterPathFailure',
    'States.Permissions',
    'States.QueryEvaluationError',
    'States.ResultPathMatchFailure',
    'States.ResultWriterFailed',
    'States.Runtime',
    'States.TaskFailed',
    'States.Timeout',
  ],
  // "Handle transient Lambda service exceptions"
  'https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html': [
    'Lambda.ClientExecutionTimeoutException',
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.TooManyRequestsException',
    'Lambda.Unknown',
  ],
  // No page of AWS's that we know lists these. Executions that failed on AWS had the first two; the third is what
  // Lambda answers when a function's time is over, as imitated there.
  'https://github.com/awslabs/amazon-s3-find-and-forget/pull/283': ['Runtime.ExitError'],
  'https://github.com/awslabs/aws-deployment-framework/issues/758': ['Runtime.OutOfMemory'],
  'https://github.com/localstack/lambda-runtime-init': ['Sandbox.Timedout'],
};

/** Whose names they are: the rest are of our own catalogue. */
export const isOfAws = (name: string): boolean => /^(States|Lambda|Runtime|Sandbox)\./.test(name);
