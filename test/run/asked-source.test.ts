import { expect, test } from 'vitest';
import { HoldfastError } from '../../core/contract/errors.ts';
import { askedSource } from '../../core/run/asked-source.ts';
import { sourceParameter } from '../backup/kept-vault.ts';

const failing = { gone: 'ConnectionNotFoundError', odd: 'ConfigurationError' } as const;
const sourceOf = async (name: string) => {
  const error = Object.hasOwn(failing, name) ? failing[name as 'gone' | 'odd'] : undefined;
  if (error !== undefined) throw new HoldfastError(error, 'as the parameter is');
  if (name === 'unreadable') throw new HoldfastError('AwsServiceError', 'nobody answers');
  return sourceParameter();
};

test.each([
  ['of a backup', { source: 'shop' }, 'shop'],
  ['of a restore or a drill', { target: 'scratch', choice: { source: 'shop' } }, 'shop'],
  ['beside what is not allowed', { source: 'shop', tier: 'weekday', jobs: -1 }, 'shop'],
  ['whose parameter cannot be understood', { source: 'odd' }, 'odd'],
])('the source %s that its input names', async (_, request, source) => {
  expect(await askedSource({ sourceOf }, request)).toBe(source);
});

test.each([
  ['names none', { choice: {} }],
  ['names one that the environment has not', { source: 'gone' }],
  ['has something else for a name', { source: '../targets/scratch' }],
  ['is nothing', undefined],
])('none when the input %s', async (_, request) => {
  expect(await askedSource({ sourceOf }, request)).toBeUndefined();
});

test('none when nobody can tell whether it is there: the alarm of unknown sources rings', async () => {
  expect(await askedSource({ sourceOf }, { source: 'unreadable' })).toBeUndefined();
});

test('on one machine, where no environment knows sources, the name that was given', async () => {
  expect(await askedSource({}, { source: 'anything' })).toBe('anything');
});
