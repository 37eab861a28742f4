import { expect, it } from 'vitest';
import { shortCache } from '../../aws/connection/short-cache.ts';

it('asks once within the time, for each key, also when asked twice at once; and again after it', async () => {
  let clock = 0;
  const asked: string[] = [];
  const get = shortCache(
    async (key) => {
      asked.push(key);
      return `${key}${asked.length}`;
    },
    1000,
    () => clock,
  );
  expect(await Promise.all([get('a'), get('a'), get('b')])).toEqual(['a1', 'a1', 'b2']);
  clock = 999;
  expect(await get('a')).toBe('a1');
  clock = 1000;
  expect(await get('a')).toBe('a3');
  expect(asked).toEqual(['a', 'b', 'a']);
});

it('does not remember a failure', async () => {
  let calls = 0;
  const get = shortCache(async () => {
    calls += 1;
    if (calls === 1) throw new Error('not yet');
    return calls;
  }, 1000);
  await expect(get('a')).rejects.toThrow('not yet');
  expect(await get('a')).toBe(2);
});
