/**
 * A failure on its way through a state machine, which carries two strings only: a name and a cause.
 *
 * Invariant: what a handler threw (name, message, hint, evidence) can be had again at the other end; what a service
 * threw (a timeout, a crash of the function) becomes an error of the catalogue.
 */
import { z } from 'zod';
import { type ErrorName, errorCatalogue, HoldfastError } from '../contract/errors.ts';
import { maskSecrets } from '../mask-secrets.ts';

export const failureSchema = z.strictObject({
  error: z.string(),
  message: z.string(),
  hint: z.string(),
  evidence: z.record(z.string(), z.unknown()),
});
export type Failure = z.infer<typeof failureSchema>;

/** Our fields: beside Lambda's own on one machine, in a line of the stack on AWS, where nothing else passes. */
const fieldsSchema = z.looseObject({
  hint: z.string().optional(),
  evidence: z.record(z.string(), z.unknown()).optional(),
});

/** As AWS Lambda writes the cause of a failed function. */
const causeSchema = fieldsSchema.extend({
  errorMessage: z.string(),
  trace: z.array(z.string()).optional(),
});

const traceMark = 'holdfast: ';

/** What a Catch puts into the state. */
const caughtSchema = z.looseObject({ Error: z.string(), Cause: z.string().default('') });

/** The cause of `States.TaskFailed` when the task was an execution of another state machine: its description. */
const childSchema = z.looseObject({ Status: z.string(), Error: z.string(), Cause: z.string() });

/** A Cause has at most 32,768 characters; room is left for the message. */
const maxEvidenceCharacters = 16_000;

/** What AWS, the engine and the pool call it, when it is no error of ours. */
const serviceNames: Readonly<Record<string, ErrorName>> = {
  'States.Timeout': 'TaskTimedOutError',
  'States.HeartbeatTimeout': 'TaskTimedOutError',
  'Sandbox.Timedout': 'TaskTimedOutError',
  'Runtime.ExitError': 'WorkerLostError',
  'Runtime.OutOfMemory': 'WorkerLostError',
  'Lambda.Unknown': 'WorkerLostError',
  'Lambda.ServiceException': 'AwsServiceError',
  'Lambda.AWSLambdaException': 'AwsServiceError',
  'Lambda.SdkClientException': 'AwsServiceError',
  'Lambda.ClientExecutionTimeoutException': 'AwsServiceError',
  'Lambda.TooManyRequestsException': 'AwsServiceError',
};

const isCatalogued = (name: string): name is ErrorName => Object.hasOwn(errorCatalogue, name);

/**
 * Any thrown value, with whatever looks like a secret masked: from here it goes into marks, outcomes and causes. What is
 * not ours is an InternalError and keeps its stack as evidence.
 */
export function failureOf(error: unknown): Failure {
  return mask(rawFailureOf(error));
}

/** @returns a copy with all texts masked; values that JSON cannot carry are left out, as they are on the way anyhow */
function mask(failure: Failure): Failure {
  const maskText = (_: string, part: unknown) =>
    typeof part === 'string' ? maskSecrets(part) : typeof part === 'bigint' ? String(part) : part;
  return JSON.parse(JSON.stringify(failure, maskText)) as Failure;
}

function rawFailureOf(error: unknown): Failure {
  if (error instanceof HoldfastError) {
    return {
      error: error.name,
      message: error.message,
      hint: error.hint,
      evidence: { ...error.evidence },
    };
  }
  if (isServerError(error)) return failureOfServer(error);
  const isError = error instanceof Error;
  return {
    error: 'InternalError',
    message: isError ? `${error.name}: ${error.message}` : String(error),
    hint: errorCatalogue.InternalError.hint,
    evidence: isError ? { stack: error.stack } : {},
  };
}

/** An error of the server that no session has mapped: its words may hold values of rows (core/postgres/without-rows.ts). */
const isServerError = (error: unknown): error is Error & Record<string, unknown> =>
  error instanceof Error && 'severity' in error && 'routine' in error;

function failureOfServer({
  code,
  schema,
  table,
  column,
  constraint,
}: Record<string, unknown>): Failure {
  return {
    error: 'InternalError',
    message: `The server refused a statement: SQLSTATE ${code}; its text is in the server's log.`,
    hint: errorCatalogue.InternalError.hint,
    evidence: { sqlstate: code, schema, table, column, constraint },
  };
}

/** The text for `Cause`. */
export function causeOf(failure: Failure): string {
  const { error, message } = failure;
  return JSON.stringify({ errorType: error, errorMessage: message, ...fieldsOf(failure) });
}

/** The lines of the stack that Lambda is to send: what an error carries beyond name and message is in the last one. */
export function traceOf(failure: Failure): string[] {
  const [line = ''] = failure.message.split('\n');
  return [`${failure.error}: ${line}`, `${traceMark}${JSON.stringify(fieldsOf(failure))}`];
}

function fieldsOf({ hint, evidence }: Failure): Partial<Failure> {
  const isSmall = JSON.stringify(evidence).length <= maxEvidenceCharacters;
  return isSmall ? { hint, evidence } : { hint };
}

/** @param caught `{Error, Cause}` from a Catch; anything else is told as it is */
export function failureFromCaught(caught: unknown): Failure {
  const parsed = caughtSchema.safeParse(caught);
  if (!parsed.success) return failureOf(`The run failed: ${JSON.stringify(caught)}`);
  const { Error: name, Cause: cause } = parsed.data;
  const child = childSchema.safeParse(parseJson(cause));
  if (child.success) return failureFromCaught({ Error: child.data.Error, Cause: child.data.Cause });
  const envelope = causeSchema.safeParse(parseJson(cause));
  const known = isCatalogued(name) ? name : (serviceNames[name] ?? 'InternalError');
  const message = envelope.success ? envelope.data.errorMessage : cause;
  const { hint, evidence } = envelope.success ? carriedFields(envelope.data) : {};
  return {
    error: known,
    message: known === name ? message : `${name}: ${message}`,
    hint: hint || errorCatalogue[known].hint,
    evidence: evidence ?? {},
  };
}

function carriedFields(envelope: z.infer<typeof causeSchema>): z.infer<typeof fieldsSchema> {
  const line = envelope.trace?.findLast((each) => each.startsWith(traceMark));
  if (line === undefined) return envelope;
  return fieldsSchema.safeParse(parseJson(line.slice(traceMark.length))).data ?? envelope;
}

export function toError(failure: Failure): HoldfastError {
  const name = isCatalogued(failure.error) ? failure.error : 'InternalError';
  return new HoldfastError(name, failure.message, {
    hint: failure.hint,
    evidence: failure.evidence,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
