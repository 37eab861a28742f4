import { expect, it } from 'vitest';
import { withHiddenSubscriptions, withRefused } from '../../core/compare/not-restored.ts';
import type { Difference } from '../../core/contract/restore.ts';
import type { Refused } from '../../core/restore/builds/refused.ts';

const gone = (object: string): Difference => ({
  ...{ kind: 'schema', object, left: 'there', right: 'missing', isExpected: false },
});
const census = (object: string, left: number, right: number): Difference => ({
  ...{ kind: 'census', object, left: `${left}`, right: `${right}`, isExpected: false },
});
const refused: Refused[] = [
  {
    ...{ label: 'PUBLICATION a', command: 'CREATE PUBLICATION' },
    ...{ reason: 'must be superuser', isConsequence: false },
  },
  {
    ...{ label: 'COMMENT PUBLICATION a', command: 'COMMENT ON PUBLICATION' },
    ...{ reason: 'no such publication', isConsequence: true },
  },
];

const expectedOf = (differences: readonly Difference[]) =>
  withRefused(differences, refused).map(({ isExpected }) => isExpected);

it('expects what was refused, with its number, and nothing beside it', () => {
  const all = [gone('PUBLICATION a'), gone('COMMENT PUBLICATION a'), census('publications', 2, 1)];
  expect(expectedOf(all)).toEqual([true, true, true]);
  expect(withRefused(all, refused)[0]).toMatchObject({
    kind: 'not-restored',
    right: 'missing; refused: must be superuser',
  });
  expect(expectedOf([gone('PUBLICATION b'), gone('TABLE public.a')])).toEqual([false, false]);
});

it('does not expect that more are missing than were refused', () => {
  const two = census('publications', 2, 0);
  expect(expectedOf([gone('PUBLICATION a'), two])).toEqual([true, false]);
  expect(expectedOf([gone('PUBLICATION a'), census('eventTriggers', 1, 0)])).toEqual([true, false]);
  // It was made after all: then a publication that is missing is another one.
  expect(expectedOf([census('publications', 2, 1)])).toEqual([false]);
});

it('expects a text that a refused statement would have changed, not that of a consequence', () => {
  const other = (object: string) => ({ ...gone(object), left: 'OWNER TO a', right: 'OWNER TO b' });
  expect(expectedOf([other('PUBLICATION a'), other('COMMENT PUBLICATION a')])).toEqual([
    true,
    false,
  ]);
});

it('takes subscriptions that the catalog has for there, and no others', () => {
  const all = ['SUBSCRIPTION a', 'COMMENT SUBSCRIPTION "a b"', 'SUBSCRIPTION c'].map(gone);
  const found = withHiddenSubscriptions(all, ['a', 'a b']);
  expect(found.map(({ isExpected }) => isExpected)).toEqual([true, true, false]);
});
