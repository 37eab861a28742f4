/**
 * Every name in Retry and Catch is one that happens: a test throws it, on the local engine or on the emulator. A name that
 * nobody has seen thrown may be misspelt, and its retry would never be made.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { definitions, type JsonObject, statesOf } from './definition.ts';

interface Thrown {
  /** Of the repository. */
  readonly test: string;
  /** In its words. */
  readonly how: string;
}

/** By the thing itself: a killed process, a closed port, a refused call. */
const forReal: Readonly<Record<string, Thrown>> = {
  WorkerLostError: {
    test: 'test/backup/failures.test.ts',
    how: 'its unit workers die again and again',
  },
  ConnectionLostError: {
    test: 'test/cloud/deployed/failures.test.ts',
    how: 'when the sessions that dump are ended',
  },
  TaskTimedOutError: {
    test: 'test/engine/pool.test.ts',
    how: 'ends a call that does not come back, and its process',
  },
  TooManyConnectionsError: {
    test: 'test/backup/connections.test.ts',
    how: 'a role that may have one connection only',
  },
  SourceUnreachableError: {
    test: 'test/statemachines/thrown-locally.test.ts',
    how: 'nobody listens, and then somebody does',
  },
  CopyIncompleteError: {
    test: 'test/statemachines/thrown-locally.test.ts',
    how: 'the server counts one row more than came',
  },
  SchemaMovedError: {
    test: 'test/statemachines/thrown-locally.test.ts',
    how: 'a migration comes between the snapshot and pg_dump',
  },
  LockNotAvailableError: {
    test: 'test/backup/waiting-ddl.test.ts',
    how: 'a schema change that begins to wait behind the holders',
  },
  DatabaseInstanceNotReadyError: {
    test: 'test/cloud/deployed/failures.test.ts',
    how: 'the database instance of the target is stopped',
  },
  'Runtime.ExitError': {
    test: 'test/cloud/deployed/failures.test.ts',
    how: 'when the processes that dump are killed',
  },
  'Sandbox.Timedout': {
    test: 'test/cloud/emulator-lambda.test.ts',
    how: 'catches by name: a function that fails with',
  },
  'Lambda.TooManyRequestsException': {
    test: 'test/cloud/deployed/failures.test.ts',
    how: 'when a function has no room for a moment',
  },
  'States.ALL': {
    test: 'test/cloud/deployed/failures.test.ts',
    how: 'because of a wrong password ends with that error',
  },
};

const service = 'test/cloud/deployed/failures.test.ts';

/** The emulator answers it in the place of a service (extensions.py); the name reaches the machine on the way it has on AWS. */
const answered: Readonly<Record<string, Thrown>> = {
  KeyThrottledError: { test: service, how: 'the key is throttled' },
  KeyServiceError: { test: service, how: 'the key service has an error' },
  VaultIoError: { test: service, how: 'the vault has an error' },
  AwsServiceError: { test: service, how: 'a service has an error' },
  ReplicaBehindError: { test: service, how: 'an object is late at the replica' },
};

/** Step Functions itself makes these. No emulator can; it is made to say them, so that what follows is seen at least. */
const whyNot: Readonly<Record<string, string>> = {
  'States.Timeout': 'the limits of the states are longer than those of their functions',
  'Runtime.OutOfMemory': 'the emulator does not limit memory',
  'Lambda.Unknown': 'Lambda lost the function and does not know why',
  'Lambda.ServiceException': 'Lambda has an error of its own',
  'Lambda.AWSLambdaException': 'Lambda has an error of its own',
  'Lambda.SdkClientException': 'Step Functions could not reach Lambda',
  'Lambda.ClientExecutionTimeoutException': 'Step Functions did not hear from Lambda in time',
};

const names = new Set(
  definitions().flatMap(({ machine }) =>
    [...statesOf(machine)].flatMap(({ state }) =>
      ['Retry', 'Catch'].flatMap((kind) =>
        ((state[kind] ?? []) as JsonObject[]).flatMap((rule) => rule.ErrorEquals as string[]),
      ),
    ),
  ),
);
const textOf = (file: string) => readFileSync(join(import.meta.dirname, '../..', file), 'utf8');

describe('names in Retry and Catch', () => {
  test('are those of the tables, each in one of them', () => {
    const known = [forReal, answered, whyNot].flatMap((table) => Object.keys(table));
    expect(known.toSorted()).toEqual([...names].toSorted());
  });

  test.each(Object.entries({ ...forReal, ...answered }))('%s is thrown', (name, thrown) => {
    const text = textOf(thrown.test);
    expect(text).toContain(thrown.how);
    // Nothing has it as its own name; whoever catches all catches any.
    if (name !== 'States.ALL') expect(text).toContain(name);
  });

  test.each(Object.keys(whyNot))(
    '%s is said by the emulator, before and after the work',
    (name) => {
      const text = textOf(service);
      const begin = text.indexOf('whatever Lambda answers instead of a function');
      expect(begin).toBeGreaterThan(0);
      expect(text.slice(begin)).toContain(`'${name}'`);
    },
  );
});
