/**
 * The key file: the one thing beside the vault that a restore needs. JSON, mode 0600, made once by `holdfast init`.
 *
 * Invariant: ids are hashes of the key material, so an altered or exchanged key is never taken for the right one; an
 * existing file is never overwritten; no message ever holds key material.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { HoldfastError } from '../../core/contract/errors.ts';

const keyFileSchema = z.strictObject({
  format: z.literal('holdfast-key'),
  formatVersion: z.literal(1),
  createdAt: z.iso.datetime(),
  encryption: z.strictObject({
    algorithm: z.literal('AES-256-GCM'),
    keyId: z.string(),
    /** 32 bytes, base64. */
    key: z.base64(),
  }),
  signing: z.strictObject({
    algorithm: z.literal('Ed25519'),
    keyId: z.string(),
    /** PEM, so that stock tools open them. */
    privateKey: z.string(),
    publicKey: z.string(),
  }),
});

export interface LoadedKeyFile {
  readonly path: string;
  readonly encryptionKeyId: string;
  readonly signingKeyId: string;
  readonly encryptionKey: Uint8Array;
  readonly signingKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** 64 bits of SHA-256, with a label before the key so that the id is of no use for anything else. */
const idOf = (kind: string, material: Uint8Array): string =>
  `${kind}-${createHash('sha256').update(`holdfast ${kind} key id\n`).update(material).digest('hex').slice(0, 16)}`;

const encryptionIdOf = (key: Uint8Array): string => idOf('aes256', key);
const signingIdOf = (publicKey: KeyObject): string =>
  idOf('ed25519', publicKey.export({ type: 'spki', format: 'der' }));

/**
 * `$XDG_CONFIG_HOME/holdfast/keys/<vaultId>.json`, by default under `~/.config`.
 * @param env the environment, passed in: HOME and XDG_CONFIG_HOME are looked at
 */
export function defaultKeyFilePath(
  vaultId: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const configured = env.XDG_CONFIG_HOME;
  const base = configured?.startsWith('/') ? configured : undefined;
  const home = env.HOME;
  if (base === undefined && !home) {
    throw new HoldfastError('ConfigurationError', 'Neither HOME nor XDG_CONFIG_HOME is set.', {
      hint: 'Name the key file with --key FILE or HOLDFAST_KEY_FILE.',
    });
  }
  return join(base ?? join(home as string, '.config'), 'holdfast', 'keys', `${vaultId}.json`);
}

/**
 * Makes new keys and the file that holds them.
 * @throws UsageError when the file exists: a key is never overwritten
 */
export async function createKeyFile(path: string): Promise<LoadedKeyFile> {
  const file = resolve(path);
  const encryptionKey = randomBytes(32);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const text = JSON.stringify(
    {
      format: 'holdfast-key',
      formatVersion: 1,
      createdAt: new Date().toISOString(),
      encryption: {
        algorithm: 'AES-256-GCM',
        keyId: encryptionIdOf(encryptionKey),
        key: encryptionKey.toString('base64'),
      },
      signing: {
        algorithm: 'Ed25519',
        keyId: signingIdOf(publicKey),
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      },
    } satisfies z.input<typeof keyFileSchema>,
    null,
    2,
  );
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(`${text}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(temporary, file);
    const folder = await open(dirname(file), 'r');
    await folder.sync().finally(() => folder.close());
  } catch (cause) {
    throw cannotWrite(file, cause);
  } finally {
    await unlink(temporary).catch(() => {});
  }
  return loadKeyFile(file);
}

/**
 * @throws KeyFileMissingError; KeyFileInsecureError when group or others may read it; KeyMismatchError when the keys in
 * it are not those that its ids name; ConfigurationError when it is no key file or may not be read
 */
export async function loadKeyFile(path: string): Promise<LoadedKeyFile> {
  const file = resolve(path);
  const text = await readPrivately(file);
  const parsed = parse(file, text);
  const encryptionKey = Buffer.from(parsed.encryption.key, 'base64');
  const { signingKey, publicKey } = readSigningKey(file, parsed.signing.privateKey);
  const encryptionKeyId = encryptionIdOf(encryptionKey);
  const signingKeyId = signingIdOf(publicKey);
  const isAltered =
    encryptionKey.length !== 32 ||
    encryptionKeyId !== parsed.encryption.keyId ||
    signingKeyId !== parsed.signing.keyId;
  if (isAltered) {
    throw new HoldfastError(
      'KeyMismatchError',
      `The keys in ${file} are not ${parsed.encryption.keyId} and ${parsed.signing.keyId}, as it says.`,
      { hint: 'The file was altered: take it from your copy.' },
    );
  }
  return { path: file, encryptionKeyId, signingKeyId, encryptionKey, signingKey, publicKey };
}

async function readPrivately(file: string): Promise<string> {
  try {
    const handle = await open(file, constants.O_RDONLY);
    try {
      // The mode of the very file that is read, not of what was there a moment before.
      const { mode } = await handle.stat();
      if ((mode & 0o077) !== 0) {
        throw new HoldfastError(
          'KeyFileInsecureError',
          `${file} has mode ${(mode & 0o777).toString(8).padStart(4, '0')}; only 0600 or 0400 will do.`,
          { hint: `chmod 600 ${file}` },
        );
      }
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new HoldfastError('KeyFileMissingError', `There is no key file ${file}.`, { cause });
    }
    throw new HoldfastError(
      'ConfigurationError',
      `The key file ${file} cannot be read (${code}).`,
      {
        cause,
        hint: 'Give the user that runs Holdfast the right to read it.',
      },
    );
  }
}

function parse(file: string, text: string): z.output<typeof keyFileSchema> {
  try {
    return keyFileSchema.parse(JSON.parse(text));
  } catch {
    // No cause: a parser's message may quote what it read.
    throw new HoldfastError('ConfigurationError', `${file} is not a key file of Holdfast.`);
  }
}

function readSigningKey(
  file: string,
  pem: string,
): { signingKey: KeyObject; publicKey: KeyObject } {
  try {
    const signingKey = createPrivateKey(pem);
    return { signingKey, publicKey: createPublicKey(signingKey) };
  } catch {
    throw new HoldfastError('KeyMismatchError', `The signing key in ${file} cannot be read.`, {
      hint: 'The file was altered: take it from your copy.',
    });
  }
}

function cannotWrite(file: string, cause: unknown): HoldfastError {
  const { code, syscall } = cause as NodeJS.ErrnoException;
  // mkdir says EEXIST as well, when a file is where a folder should be.
  if (code === 'EEXIST' && syscall === 'link') {
    return new HoldfastError(
      'UsageError',
      `The key file ${file} exists; it is never overwritten.`,
      {
        cause,
        hint: 'Name another file, or use this one.',
      },
    );
  }
  const said = cause instanceof Error ? cause.message : String(cause);
  return new HoldfastError(
    'ConfigurationError',
    `The key file ${file} cannot be written: ${said}.`,
    {
      cause,
    },
  );
}
