/** What the tests of failures do to the deployment, and how they hear of the end of an execution. */
import { readdirSync, readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, NoSuchKey } from '@aws-sdk/client-s3';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import { inject } from 'vitest';
import type { FunctionName } from '../../../core/contract/functions.ts';
import { clientSettings, primaryRegion } from '../emulator-clients.ts';
import { isOurs } from '../own-emulator.ts';
import { clientsIn, connectTo, names, primary } from './harness.ts';

/** See `Faults` in extensions.py. */
export type Fault = { readonly error: string; readonly times: number } & (
  | { readonly target: string; readonly status: number }
  | { readonly method: string; readonly path: string; readonly status: number }
  | { readonly function: string; readonly isAfter?: boolean }
);

let faults = 0;

/** From now on these are answered, each so many times as it says. */
export async function answerWith(...wanted: readonly Fault[]): Promise<void> {
  const file = faultsFile();
  const rules = wanted.map((one) => {
    faults += 1;
    return { ...one, id: `${process.pid}-${faults}` };
  });
  // At once: the emulator reads it at each call.
  await writeFile(`${file}.new`, JSON.stringify(rules));
  await rename(`${file}.new`, file);
}

/**
 * A run that is to be caught on its way comes to this function and no further, however fast the machine is: Lambda has no
 * answer, and the call is repeated for some minutes. Until `answerRightly`; on another emulator it may be over sooner.
 */
export async function holdBefore(name: FunctionName): Promise<void> {
  if (!isOurs) return;
  const error = 'Lambda.ServiceException';
  await answerWith({ function: names.function(name), error, times: 1_000 });
}

export async function answerRightly(): Promise<void> {
  const { faultsFile: file } = inject('cloud');
  // Elsewhere nothing else was asked for.
  if (file !== undefined) await rm(file, { force: true });
}

function faultsFile(): string {
  const { faultsFile: file } = inject('cloud');
  if (file === undefined) throw new Error('Only the emulator that we start ourselves has faults.');
  return file;
}

/** Ends the processes of a function as the kernel does when memory is short. @returns how many there were */
export function killFunction(name: string): number {
  const { processGroup } = inject('cloud');
  if (processGroup === undefined) throw new Error('Only our own emulator has processes of ours.');
  const wanted = `AWS_LAMBDA_FUNCTION_NAME=${names.function(name)}`;
  const pids = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      const stat = read(`/proc/${pid}/stat`);
      // pid (name) state parent group …
      const group = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2];
      return (
        group === String(processGroup) && read(`/proc/${pid}/environ`).split('\0').includes(wanted)
      );
    });
  for (const pid of pids) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch (error) {
      // It has ended by itself meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  return pids.length;
}

/**
 * Makes a function ask anew for secrets and parameters, which it keeps for seconds and for a minute: the next call finds
 * another process.
 */
export async function forgetSettings(name: FunctionName): Promise<void> {
  if (isOurs) killFunction(name);
  else await sleep(61_000);
}

/** Processes come and go. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** What may be done to a session that is found at work, in the moment that it is found. */
const nothing = 'true';
const end = 'pg_terminate_backend(pid)';

/** Ends the session that works on this, in the middle of its work. */
export const endAtWork = (what: string): Promise<number> => atWork(what, end);

/** Waits for a session that works on this. @returns its process id */
export async function atWork(what: string, done = nothing): Promise<number> {
  const admin = await connectTo('primary');
  try {
    for (const until = Date.now() + 60_000; Date.now() < until; await sleep(10)) {
      const { rows } = await admin.query<{ pid: number }>(
        `SELECT pid, ${done} FROM pg_stat_activity
         WHERE application_name LIKE 'holdfast/%/' || $1 || '%' AND state = 'active'`,
        [what],
      );
      if (rows[0] !== undefined) return rows[0].pid;
    }
    throw new Error(`No session is at work on ${what}.`);
  } finally {
    await admin.end();
  }
}

const secrets = new SecretsManagerClient(clientSettings());

/** @returns what puts it back */
export async function changeSecret(
  SecretId: string,
  change: Readonly<Record<string, unknown>>,
): Promise<() => Promise<unknown>> {
  const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId }));
  const changed = JSON.stringify({ ...JSON.parse(SecretString), ...change });
  await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: changed }));
  return () => secrets.send(new PutSecretValueCommand({ SecretId, SecretString }));
}

/** `DumpUnit Runtime.ExitError`: calls of functions by machines that failed, since `forgetFailures`, those in a Map too. */
export function failures(): string[] {
  return read(`${faultsFile()}.seen`)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { function: name, error } = JSON.parse(line);
      return `${String(name).slice(names.function('').length)} ${error}`;
    });
}

export async function forgetFailures(): Promise<void> {
  const { faultsFile: file } = inject('cloud');
  if (file !== undefined) await rm(`${file}.seen`, { force: true });
}

/** JSON of a key of the workspace; undefined when it is not there. */
export async function inWorkspace(Key: string): Promise<Record<string, unknown> | undefined> {
  const { s3 } = clientsIn(primaryRegion);
  const Bucket = names.workspaceBucket(primary());
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    return JSON.parse((await Body?.transformToString()) ?? '');
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

/** Whoever subscribed to the topic. */
export interface Notices {
  /** Waits for one that speaks of it: an execution, an alarm. */
  about(what: string | RegExp): Promise<string>;
}

export async function subscribe(queueName: string): Promise<Notices> {
  const { sns, sqs } = clientsIn(primaryRegion);
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: queueName }));
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  const { account, region } = primary();
  await sns.send(
    new SubscribeCommand({
      TopicArn: `arn:aws:sns:${region}:${account}:${names.topic}`,
      Protocol: 'sqs',
      Endpoint: Attributes['QueueArn'],
    }),
  );
  const texts: string[] = [];
  const isAbout = (text: string, what: string | RegExp) =>
    typeof what === 'string' ? text.includes(what) : what.test(text);
  const about = async (what: string | RegExp): Promise<string> => {
    for (const until = Date.now() + 90_000; Date.now() < until; ) {
      const found = texts.find((text) => isAbout(text, what));
      if (found !== undefined) return found;
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1, MaxNumberOfMessages: 10 }),
      );
      for (const { Body = '{}', ReceiptHandle } of Messages) {
        texts.push(String(JSON.parse(Body).Message));
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
    throw new Error(`No notice about ${what}; there were:\n${texts.join('\n')}`);
  };
  return { about };
}
