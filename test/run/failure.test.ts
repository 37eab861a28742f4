import { expect, it } from 'vitest';
import { HoldfastError } from '../../core/contract/errors.ts';
import { causeOf, failureFromCaught, failureOf, traceOf } from '../../core/run/failure.ts';

it('masks secrets in message, hint and evidence before a failure is written anywhere', () => {
  const url = 'postgres://dumper:s3cret@db.example/shop';
  const failure = failureOf(
    new HoldfastError('CopyFailedError', `COPY failed over ${url}`, {
      hint: 'Try password=s3cret',
      evidence: { query: "ALTER ROLE x PASSWORD 's3cret", nested: [{ url }] },
    }),
  );
  expect(JSON.stringify(failure)).not.toContain('s3cret');
  expect(failure.message).toContain('dumper:****@');
});

it('masks secrets in errors that are not ours, in their stack too', () => {
  const failure = failureOf(new Error('cannot reach postgres://u:s3cret@h/d'));
  expect(failure.error).toBe('InternalError');
  expect(causeOf(failure)).not.toContain('s3cret');
});

it('keeps numbers, lists and large integers of the evidence', () => {
  const evidence = { count: 3, list: ['a', 'b'], oid: 2n ** 60n };
  const failure = failureOf(new HoldfastError('CopyFailedError', 'x', { evidence }));
  expect(failure.evidence).toEqual({ count: 3, list: ['a', 'b'], oid: '1152921504606846976' });
  const back = failureFromCaught({ Error: failure.error, Cause: causeOf(failure) });
  expect(back).toEqual(failure);
});

it('reads name, message, hint and evidence from what Lambda tells of a thrown error', () => {
  const failure = failureOf(
    new HoldfastError('LeaseHeldError', 'held by another\nsince noon', {
      hint: 'Wait.',
      evidence: { since: 'noon', nested: [{ fence: 3 }] },
    }),
  );
  const cause = {
    errorType: failure.error,
    errorMessage: failure.message,
    trace: traceOf(failure).join('\n').split('\n'),
  };
  expect(failureFromCaught({ Error: failure.error, Cause: JSON.stringify(cause) })).toEqual(
    failure,
  );
});

it.each([
  ['Sandbox.Timedout', 'TaskTimedOutError'],
  ['Runtime.ExitError', 'WorkerLostError'],
  ['Lambda.TooManyRequestsException', 'AwsServiceError'],
  ['TypeError', 'InternalError'],
])('%s of the service becomes %s', (name, known) => {
  const Cause = JSON.stringify({ errorMessage: 'it ended', errorType: name, trace: ['at x'] });
  expect(failureFromCaught({ Error: name, Cause })).toMatchObject({
    error: known,
    message: `${name}: it ended`,
    evidence: {},
  });
});
