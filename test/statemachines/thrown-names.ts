/**
 * Where each name in Retry and Catch is thrown: by file, and the file itself collects what it sees and fails at its end
 * when a name that is promised here was not among it. A test that is skipped, renamed or emptied has seen nothing.
 */
import { join, relative, sep } from 'node:path';
import { afterAll, expect } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Names that a state really failed with, as the engine, the emulator's Step Functions, or our own caller got them. */
export const thrownIn: Readonly<Record<string, readonly string[]>> = {
  'test/backup/failures.test.ts': ['WorkerLostError'],
  'test/backup/connections.test.ts': ['TooManyConnectionsError'],
  'test/backup/waiting-ddl.test.ts': ['LockNotAvailableError'],
  'test/engine/pool.test.ts': ['TaskTimedOutError'],
  'test/statemachines/thrown-locally.test.ts': [
    'SourceUnreachableError',
    'CopyIncompleteError',
    'SchemaMovedError',
    'States.Timeout',
  ],
  'test/cloud/emulator-lambda.test.ts': [
    'Runtime.ExitError',
    'Sandbox.Timedout',
    'Runtime.OutOfMemory',
  ],
  'test/cloud/deployed/failures.test.ts': [
    'ConnectionLostError',
    'DatabaseInstanceNotReadyError',
    'Runtime.ExitError',
    'Lambda.TooManyRequestsException',
    'States.ALL',
    // A service's error is asked for (extensions.py): what we make of it is thrown by our own code.
    'KeyThrottledError',
    'KeyServiceError',
    'VaultIoError',
    'AwsServiceError',
    'ReplicaBehindError',
    // Lambda's own troubles: see `asked`.
    'Lambda.Unknown',
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.ClientExecutionTimeoutException',
  ],
};

/**
 * Of those, the names that Lambda and Step Functions have for trouble of their own, which nothing here can cause. The
 * emulator is asked to answer a call with them (`Faults` in extensions.py): the task really fails by that name, is tried
 * again by the Retry that has it, and the run succeeds. Their spelling is compared with AWS's own lists (aws-names.ts).
 */
export const asked: Readonly<Record<string, string>> = {
  'Lambda.Unknown': 'Lambda lost the function and does not know why',
  'Lambda.ServiceException': 'Lambda has an error of its own',
  'Lambda.AWSLambdaException': 'Lambda has an error of its own',
  'Lambda.SdkClientException': 'Step Functions could not reach Lambda',
  'Lambda.ClientExecutionTimeoutException': 'Step Functions did not hear from Lambda in time',
};

/**
 * For a test file of `thrownIn`, once: at its end all that is promised of it must have been seen. A run of single tests
 * (`-t`) has not seen it all and says so.
 *
 * @param file `import.meta.filename`
 * @param isPossible false where it cannot all be seen (an emulator that is not ours)
 * @returns told the names that were seen; whoever calls it reads them off an error, a history or a log
 */
export function collectThrown(
  file: string,
  isPossible = true,
): (...names: readonly string[]) => void {
  const promised = thrownIn[relative(root, file).split(sep).join('/')];
  if (promised === undefined) throw new Error(`${file} is not in the table of thrown names.`);
  const seen = new Set<string>();
  afterAll(() => {
    if (!isPossible) return;
    const missing = promised.filter((name) => !seen.has(name));
    expect(missing, 'promised in thrown-names.ts, and not seen in this run of the file').toEqual(
      [],
    );
  });
  return (...names) => {
    for (const name of names) seen.add(name);
  };
}

/** The `name` of what a promise is rejected with. @throws Error when it is not */
export async function nameOfRejection(promise: Promise<unknown>): Promise<string> {
  const [result] = await Promise.allSettled([promise]);
  if (result.status === 'fulfilled') throw new Error('Nothing was thrown.');
  return (result.reason as Error).name;
}
