import { expect, it } from 'vitest';
import { HoldfastError } from '../../core/contract/errors.ts';
import { causeOf, failureFromCaught, failureOf } from '../../core/run/failure.ts';

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
