import { KMSClient } from '@aws-sdk/client-kms';
import { beforeAll, describe, expect, it } from 'vitest';
import { keyIdOf, openKmsKeyRing } from '../../aws/keyring/kms-key-ring.ts';
import { decrypt, encrypt } from '../support/key-ring-contract.ts';
import { jsonRefusal, refusingService } from './refusing-service.ts';

const arn = (id: string) => `arn:aws:kms:eu-central-1:123456789012:key/${id}`;
const encryptionKeyArn = arn('mrk-00000000000000000000000000000001');
const signingKeyArn = arn('mrk-00000000000000000000000000000002');

/** A message whose data key was wrapped with our key. */
let message: Buffer;
beforeAll(async () => {
  const dataKey = {
    KeyId: encryptionKeyArn,
    Plaintext: Buffer.alloc(32, 7).toString('base64'),
    CiphertextBlob: Buffer.alloc(150, 8).toString('base64'),
  };
  await using service = await refusingService({
    status: 200,
    contentType: 'application/x-amz-json-1.1',
    body: JSON.stringify(dataKey),
  });
  const kms = new KMSClient(service.config);
  message = await encrypt(
    Buffer.from('x'),
    openKmsKeyRing({ kms, encryptionKeyArn, signingKeyArn }),
  );
});

describe('what KMS reports, from the wire', () => {
  it.each([
    ['AccessDeniedException', 400, 'KeyAccessDeniedError', false],
    ['UnrecognizedClientException', 400, 'KeyAccessDeniedError', false],
    ['DisabledException', 400, 'KeyUnavailableError', false],
    ['KMSInvalidStateException', 400, 'KeyUnavailableError', false],
    ['NotFoundException', 400, 'KeyUnavailableError', false],
    ['ThrottlingException', 400, 'KeyThrottledError', true],
    ['KeyUnavailableException', 500, 'KeyServiceError', true],
    ['DependencyTimeoutException', 503, 'KeyServiceError', true],
    ['KMSInternalException', 500, 'KeyServiceError', true],
    ['InvalidCiphertextException', 400, 'DecryptionError', false],
    ['IncorrectKeyException', 400, 'DecryptionError', false],
    ['InvalidKeyUsageException', 400, 'ConfigurationError', false],
  ])('%s (%d) is %s', async (type, status, name, retryable) => {
    const text = `User: arn:aws:sts::123456789012:assumed-role/x is told ${type}`;
    await using service = await refusingService(jsonRefusal(type, text, status));
    const ring = openKmsKeyRing({
      kms: new KMSClient(service.config),
      encryptionKeyArn,
      signingKeyArn,
    });
    for (const [action, work] of [
      ['kms:GenerateDataKey', () => encrypt(Buffer.from('x'), ring)],
      ['kms:Decrypt', () => decrypt(message, ring)],
      ['kms:Sign', () => ring.sign(Buffer.from('x'))],
    ] as const) {
      await expect(work(), action).rejects.toMatchObject({
        name,
        retryable,
        message: expect.stringMatching(
          new RegExp(`^${action} with the key arn:.* failed: ${type}: User`),
        ),
        evidence: expect.objectContaining({ action }),
      });
    }
  });
});

describe('settings of the key ring', () => {
  it('take ARNs of keys and nothing else', () => {
    expect(keyIdOf(encryptionKeyArn)).toBe('mrk-00000000000000000000000000000001');
    for (const wrong of ['mrk-1', 'arn:aws:kms:eu-central-1:123456789012:alias/holdfast', '']) {
      expect(() => keyIdOf(wrong)).toThrow(
        expect.objectContaining({
          name: 'ConfigurationError',
          message: `${JSON.stringify(wrong)} is not the ARN of a key; allowed is arn:aws:kms:REGION:ACCOUNT:key/ID (no alias).`,
        }),
      );
    }
  });

  it.each([
    ['no PEM', 'AAAA', /no public key in PEM/],
    [
      'another kind of key',
      '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n',
      /a key of type ed25519/,
    ],
  ])('a pinned public key that is %s is refused by name', (_, publicKey, message) => {
    const publicKeys = [{ keyId: 'mrk-00000000000000000000000000000002', publicKey }];
    const kms = new KMSClient({ region: 'eu-central-1' });
    expect(() => openKmsKeyRing({ kms, encryptionKeyArn, signingKeyArn, publicKeys })).toThrow(
      expect.objectContaining({
        name: 'ConfigurationError',
        message: expect.stringMatching(message),
      }),
    );
  });

  it('the key that signs must be pinned when any is', () => {
    const publicKeys = [
      {
        keyId: 'mrk-another',
        publicKey:
          '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9\nq9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\n-----END PUBLIC KEY-----\n',
      },
    ];
    const kms = new KMSClient({ region: 'eu-central-1' });
    expect(() => openKmsKeyRing({ kms, encryptionKeyArn, signingKeyArn, publicKeys })).toThrow(
      /signingPublicKeys has mrk-another; the key that signs, mrk-0{31}2, must be among them/,
    );
  });
});
