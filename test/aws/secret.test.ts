import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseSecret, readSecret } from '../../aws/connection/secret.ts';
import { jsonRefusal, refusingService } from './refusing-service.ts';

const login = { username: 'app', password: 'pa55word!' };

it('reads a secret as RDS and its rotation functions write it, and as people do', () => {
  const whole = { ...login, engine: 'postgres', host: 'db.example', port: 5433, dbname: 'shop' };
  const read = { ...login, host: 'db.example', port: 5433, database: 'shop' };
  expect(parseSecret(JSON.stringify(whole), 'x')).toEqual(read);
  expect(parseSecret(JSON.stringify({ ...whole, port: '5433', extra: { a: 1 } }), 'x')).toEqual(
    read,
  );
  // What RDS manages by itself has these two alone.
  expect(parseSecret(JSON.stringify(login), 'x')).toEqual({
    ...login,
    host: undefined,
    port: undefined,
    database: undefined,
  });
});

it.each([
  ['nothing', undefined, 'is not a JSON object'],
  ['a mere password', 'pa55word!', 'is not a JSON object'],
  ['a list', '["pa55word!"]', 'is not a JSON object'],
  ['no user', '{"password":"pa55word!"}', 'has no username'],
  ['no password', '{"username":"app"}', 'has no password'],
  ['an empty password', '{"username":"app","password":""}', 'has no password'],
  [
    'a password that is an object',
    '{"username":"app","password":{"a":"pa55word!"}}',
    'as password',
  ],
  [
    'a port that is none',
    JSON.stringify({ ...login, port: 'pa55word!' }),
    'has a port that is not',
  ],
  ['port 0', JSON.stringify({ ...login, port: 0 }), 'has a port that is not'],
  ['another engine', JSON.stringify({ ...login, engine: 'mysql' }), 'not PostgreSQL'],
])('a secret with %s is refused, and nothing of it is told', (_, text, why) => {
  try {
    parseSecret(text, 'prod/shop');
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({
      name: 'SecretInvalidError',
      message: expect.stringMatching(new RegExp(`^The secret prod/shop .*${why}`)),
    });
    expect((error as Error).cause).toBeUndefined();
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('pa55word!');
  }
});

it('whatever is in a secret, an error about it has nothing of it', () => {
  const word = fc.stringMatching(/^[a-f0-9]{16}$/);
  fc.assert(
    fc.property(
      word,
      fc.constantFrom('', '{', '{"password":"', '["', '{"username":'),
      (secret, head) => {
        try {
          parseSecret(`${head}${secret}`, 'x');
        } catch (error) {
          const { message, hint, evidence, stack } = error as Error & Record<string, unknown>;
          expect(JSON.stringify({ message, hint, evidence, stack })).not.toContain(secret);
        }
      },
    ),
  );
});

it.each([
  ['ResourceNotFoundException', 'SecretNotFoundError'],
  ['InvalidRequestException', 'SecretNotFoundError'],
  ['AccessDeniedException', 'AwsAccessDeniedError'],
  ['DecryptionFailure', 'AwsAccessDeniedError'],
  ['ThrottlingException', 'AwsServiceError'],
  ['InvalidParameterException', 'ConfigurationError'],
])('%s of Secrets Manager is %s', async (type, name) => {
  await using service = await refusingService(jsonRefusal(type, 'User x is told so'));
  await expect(
    readSecret(new SecretsManagerClient(service.config), 'prod/shop'),
  ).rejects.toMatchObject({
    name,
    message: `secretsmanager:GetSecretValue for the secret prod/shop in eu-central-1 failed: ${type}: User x is told so.`,
  });
});
