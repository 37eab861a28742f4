import { expect, it } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import { failureFromCaught } from '../../core/run/failure.ts';
import { taskSecondsOf } from '../../core/run/task-time.ts';
import { describeCall } from '../../lambdas/describe-call.ts';
import { LambdaError } from '../../lambdas/lambda-error.ts';

it('throws an error that Lambda tells by name, message and stack, and nothing of it is lost or secret', () => {
  const url = 'postgres://dumper:s3cret@db/shop';
  const thrown = new LambdaError(
    new HoldfastError('CopyFailedError', `COPY failed over ${url}`, {
      hint: 'See the server.',
      evidence: { url, rows: 3 },
    }),
  );
  // As the runtime of Lambda makes its answer of it.
  const answer = {
    errorType: thrown.name,
    errorMessage: thrown.message,
    trace: thrown.stack?.split('\n'),
  };
  expect(JSON.stringify(answer)).not.toContain('s3cret');
  expect(failureFromCaught({ Error: thrown.name, Cause: JSON.stringify(answer) })).toEqual({
    error: 'CopyFailedError',
    message: 'COPY failed over postgres://dumper:****@db/shop',
    hint: 'See the server.',
    evidence: { url: 'postgres://dumper:****@db/shop', rows: 3 },
  });
});

it('makes an InternalError of what is no error of ours, with its own stack as evidence', () => {
  const { name, message, stack } = new LambdaError(new TypeError('x is not a function'));
  expect({ name, message }).toEqual({
    name: 'InternalError',
    message: 'TypeError: x is not a function',
  });
  expect(stack).toContain('on-lambda.test.ts');
});

it('bounds a task by its options and by the limit of its function, whichever is smaller', () => {
  const options = { taskSeconds: 840 };
  expect(taskSecondsOf({}, options)).toBe(840);
  expect(taskSecondsOf({ taskSeconds: 5 } satisfies Partial<Deps>, options)).toBe(5);
  expect(taskSecondsOf({ taskSeconds: 2_000 } satisfies Partial<Deps>, options)).toBe(840);
});

it.each([
  [
    { runId: 'shop-daily-1', unit: 3, part: 0 },
    { runId: 'shop-daily-1', unit: 3 },
  ],
  [
    { runId: 'r', request: { source: 'shop', tier: 'daily' } },
    { runId: 'r', source: 'shop' },
  ],
  [
    { runId: 'r', request: { choice: { source: 'shop' } } },
    { runId: 'r', source: 'shop' },
  ],
  [{ state: 'Publish', evidence: { source: 'shop' } }, { source: 'shop' }],
  [{ 'detail-type': 'x', detail: { name: 'run-1' } }, { runId: 'run-1' }],
  [{ runId: 7, request: 'nonsense' }, {}],
  [null, {}],
])('describes a call of %j', (event, described) => {
  expect(describeCall('Plan', event, 'request', performance.now())).toEqual({
    state: 'Plan',
    requestId: 'request',
    durationMs: expect.any(Number),
    ...described,
  });
});
