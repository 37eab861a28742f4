/** Promise 4 with KMS: what KmsKeyRing wrote opens with `aws-encryption-cli`, in either Region, and its signature is plain ECDSA. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { GetPublicKeyCommand } from '@aws-sdk/client-kms';
import { beforeAll, expect, inject, it } from 'vitest';
import { openKmsKeyRing } from '../../aws/keyring/kms-key-ring.ts';
import type { KeyRing } from '../../core/keyring/key-ring.ts';
import { encrypt, sampleContext } from '../support/key-ring-contract.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import {
  kmsClient,
  newEncryptionKey,
  newSigningKey,
  primaryRegion,
  replicated,
} from './kms-support.ts';
import { stockTools } from './stock-tools.ts';

const run = promisify(execFile);
const folders = temporaryFolders();
const env = { PATH: process.env['PATH'], AWS_DEFAULT_REGION: primaryRegion };
const plain = randomBytes(3 << 20);

let tools: string;
let folder: string;
let keys: { readonly primary: string; readonly replica: string; readonly signing: string };
let keyRing: KeyRing;

beforeAll(async () => {
  tools = await stockTools();
  const primary = await newEncryptionKey();
  keys = { primary, replica: await replicated(primary), signing: await newSigningKey() };
  keyRing = openKmsKeyRing({
    kms: kmsClient(),
    encryptionKeyArn: primary,
    signingKeyArn: keys.signing,
  });
});

async function open(keyArn: string, context: object = sampleContext): Promise<Buffer> {
  const output = join(folder, `opened-${randomBytes(4).toString('hex')}`);
  const pairs = Object.entries(context).map(([name, value]) => `${name}=${value}`);
  const { stdout } = await run(
    // Its own first line names the interpreter at the place where it was made.
    join(tools, 'python'),
    [
      ...[join(tools, 'aws-encryption-cli'), '--decrypt', '--metadata-output', '-'],
      ...['--input', join(folder, 'segment.hf'), '--output', output],
      ...['--wrapping-keys', `key=${keyArn}`, '--encryption-context', ...pairs],
      ...[
        '--commitment-policy',
        'require-encrypt-require-decrypt',
        '--max-encrypted-data-keys',
        '1',
      ],
    ],
    { env: { ...env, ...inject('cloud').env } },
  );
  // It ends well when it skips a file, writes none and says why.
  return await readFile(output).catch(() => {
    throw new Error(stdout);
  });
}

it('aws-encryption-cli opens a segment with the key of either Region, and only with the right context', async () => {
  folder = await folders();
  await writeFile(join(folder, 'segment.hf'), await encrypt(zstdCompressSync(plain), keyRing));
  for (const key of [keys.primary, keys.replica]) {
    expect(zstdDecompressSync(await open(key)).equals(plain), key).toBe(true);
  }
  await expect(open(keys.primary, { ...sampleContext, backup: 'another' })).rejects.toThrow(
    /missing_encryption_context_pairs": \[\["backup", "another"\]\]/,
  );
  await expect(open(await newEncryptionKey())).rejects.toThrow(/Unable to decrypt any data key/);
});

it('a signature is ECDSA over SHA-256 that any library checks with the key as KMS shows it', async () => {
  folder = await folders();
  const { PublicKey } = await kmsClient().send(new GetPublicKeyCommand({ KeyId: keys.signing }));
  const { signature } = await keyRing.sign(plain);
  await writeFile(join(folder, 'manifest.json'), plain);
  const check = `
import base64, sys
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.serialization import load_der_public_key
load_der_public_key(base64.b64decode(sys.argv[1])).verify(
    base64.b64decode(sys.argv[2]), open(sys.argv[3], "rb").read(), ECDSA(hashes.SHA256()))
`;
  const key = Buffer.from(PublicKey ?? []).toString('base64');
  const verify = () =>
    run(join(tools, 'python'), ['-c', check, key, signature, join(folder, 'manifest.json')]);
  await verify();
  await writeFile(join(folder, 'manifest.json'), plain.subarray(1));
  await expect(verify()).rejects.toThrow(/InvalidSignature/);
});
