import { expect, test } from 'vitest';
import { HoldfastError } from '../../core/contract/errors.ts';
import { parseConnectionString } from '../../local/connection/connection-string.ts';

const parsed = (text: string) => Object.fromEntries(parseConnectionString(text));

test.each<[string, Record<string, string>]>([
  ['postgresql://', {}],
  ['postgres://me@db.example/shop', { user: 'me', host: 'db.example', dbname: 'shop' }],
  [
    'postgresql://me:s%40c%2Fr%3Aet@db:6543/sh%20op?sslmode=require',
    {
      user: 'me',
      password: 's@c/r:et',
      host: 'db',
      port: '6543',
      dbname: 'sh op',
      sslmode: 'require',
    },
  ],
  ['postgresql://me:a:b#c@db/x', { user: 'me', password: 'a:b#c', host: 'db', dbname: 'x' }],
  ['postgresql://me:a@b@db/x', { user: 'me', password: 'a@b', host: 'db', dbname: 'x' }],
  ['postgresql://[::1]:5433/x', { host: '::1', port: '5433', dbname: 'x' }],
  ['postgresql://%2Frun%2Fpg/x', { host: '/run/pg', dbname: 'x' }],
  ['postgresql:///x?host=/run/pg&port=5433', { host: '/run/pg', port: '5433', dbname: 'x' }],
  ['postgresql://db/x?ssl=true', { host: 'db', dbname: 'x', sslmode: 'require' }],
  [
    "host=db dbname='my shop' password='it\\'s' user = me",
    { host: 'db', dbname: 'my shop', password: "it's", user: 'me' },
  ],
  ['host=db password=a\\ b', { host: 'db', password: 'a b' }],
  ["host='' dbname=x", { host: '', dbname: 'x' }],
  ['shop', { dbname: 'shop' }],
])('%s is read', (text, expected) => {
  expect(parsed(text)).toEqual(expected);
});

test.each([
  ['an unescaped / in the password', 'postgresql://me:hush/hush@db/x'],
  ['an unescaped ? in the password', 'postgresql://me:hush?hush@db/x'],
  ['a bad percent sequence in the password', 'postgresql://me:hush%zz@db/x'],
  ['another scheme', 'mysql://me:hush@db/x'],
  ['a parameter without a value', 'postgresql://me:hush@db/x?sslmode'],
  ['a host in broken brackets', 'postgresql://me:hush@[::1/x'],
  ['an unclosed quote', "host=db password='hush"],
  ['something after the pairs', 'host=db password=hush and more'],
  ['host and port only', 'me:hush@db'],
  ['nothing', '  '],
])('%s is wrong use, and the message has no password', (_what, text) => {
  let error: unknown;
  try {
    parseConnectionString(text);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(HoldfastError);
  const { name, message, hint, evidence } = error as HoldfastError;
  expect(name).toBe('UsageError');
  expect(JSON.stringify([message, hint, evidence])).not.toContain('hush');
});
