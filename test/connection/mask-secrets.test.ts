import { expect, test } from 'vitest';
import { maskSecrets } from '../../core/mask-secrets.ts';

test.each([
  ['cannot reach postgresql://me:hush@db:5432/x', 'cannot reach postgresql://me:****@db:5432/x'],
  ['postgres://me:hu@sh@db/x failed', 'postgres://me:****@db/x failed'],
  ["host=db password='hu sh' user=me", 'host=db password=**** user=me'],
  ["host=db password='hu\\'sh' user=me", 'host=db password=**** user=me'],
  ['host=db password=hush user=me', 'host=db password=**** user=me'],
  ['PGPASSWORD=hush holdfast backup', 'PGPASSWORD=**** holdfast backup'],
  ['postgresql://db/x?password=hush&user=me', 'postgresql://db/x?password=****&user=me'],
  ['{"password": "hu\\"sh", "user": "me"}', '{"password": "****", "user": "me"}'],
  ["ALTER ROLE me PASSWORD 'hush'", "ALTER ROLE me PASSWORD '****'"],
  ["ALTER ROLE me PASSWORD 'hush and cut", "ALTER ROLE me PASSWORD '****'"],
  ['ALTER ROLE me PASSWORD $$hush$$', "ALTER ROLE me PASSWORD '****'"],
  [
    'db:5432/?X-Amz-Signature=hush&X-Amz-Expires=900',
    'db:5432/?X-Amz-Signature=****&X-Amz-Expires=900',
  ],
])('%s loses its secret only', (text, expected) => {
  expect(maskSecrets(text)).toBe(expected);
});

test.each([
  'me@db:5432/shop',
  'https://docs.example/a:b',
  'password authentication failed for user "me"',
])('%s stays as it is', (text) => {
  expect(maskSecrets(text)).toBe(text);
});
