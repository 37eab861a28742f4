/**
 * What makes a handler a Lambda function: ports from its environment, its time limit, one log line per call, and errors
 * in the form in which Lambda and Step Functions carry them.
 *
 * Invariant: nothing of AWS is loaded but on Lambda, because worker processes of one machine import the same files. What
 * could not be opened is tried again at the next call.
 */
import type { Deps } from '../core/contract/deps.ts';
import type { FunctionName } from '../core/contract/functions.ts';
import { describeCall } from './describe-call.ts';
import { LambdaError } from './lambda-error.ts';
import type { RealDeps } from './real-deps.ts';

/** Of Lambda's context, what is used. */
export interface LambdaContext {
  readonly awsRequestId: string;
  readonly getRemainingTimeInMillis: () => number;
}

/** 840 of 900 s, as the default of `taskSeconds`: the rest is for ending in order. */
const shareForTask = 840 / 900;

let opened: Promise<RealDeps> | undefined;

/** The handler that Lambda calls. One function runs one handler, so what it opens is kept for the process. */
export function onLambda(
  name: FunctionName,
  makeHandler: (deps: Deps) => (input: unknown) => Promise<unknown>,
): (event: unknown, context: LambdaContext) => Promise<unknown> {
  return async (event, context) => {
    const beganMs = performance.now();
    const taskSeconds = (context.getRemainingTimeInMillis() / 1000) * shareForTask;
    let real: RealDeps | undefined;
    const describe = () => describeCall(name, event, context.awsRequestId, beganMs);
    try {
      real = await open(name);
      const output = await makeHandler({ ...real.deps, taskSeconds })(event);
      real.telemetry.logger.info(`${name} done`, describe());
      return output;
    } catch (error) {
      const thrown = new LambdaError(error);
      const { error: errorName, ...failure } = thrown.failure;
      real?.telemetry.logger.error(`${name} failed: ${errorName}`, {
        ...describe(),
        failure: { name: errorName, ...failure },
      });
      throw thrown;
    }
  };
}

// On Lambda code that is loaded before the first call is loaded with a whole CPU. What goes wrong here does so again there.
if (process.env['AWS_LAMBDA_FUNCTION_NAME'] !== undefined) {
  void import('./real-deps.ts').catch(() => undefined);
}

async function open(name: FunctionName): Promise<RealDeps> {
  opened ??= import('./real-deps.ts').then(({ openRealDeps }) => openRealDeps(name, process.env));
  try {
    return await opened;
  } catch (error) {
    opened = undefined;
    throw error;
  }
}
