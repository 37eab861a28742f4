/**
 * Which keys an object may have, the same in every adapter, so that a backup can move between them.
 *
 * Invariant: two different valid keys are two objects, and none leads out of the vault.
 * Parts that begin with a dot are the adapters' own.
 */
import { HoldfastError } from '../contract/errors.ts';

/** S3's limit, in UTF-8. */
const maxKeyBytes = 1024;

const invalid = (key: string, why: string) =>
  new HoldfastError(
    'InvalidObjectKeyError',
    `Object key ${JSON.stringify(key)} is not allowed: ${why}.`,
  );

/**
 * The parts of a valid key.
 * @param reserved first parts of keys that belong to somebody else
 * @throws InvalidObjectKeyError
 */
export function keyParts(key: string, reserved: readonly string[] = []): string[] {
  // Lone surrogates would all become U+FFFD in a file name: two keys, one file.
  if (!key.isWellFormed()) throw invalid(key, 'it is not well-formed Unicode');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f\\]/.test(key)) throw invalid(key, 'control characters and \\ are not');
  const parts = key.split('/');
  for (const part of parts) {
    if (part === '') throw invalid(key, 'it has an empty part');
    if (part.startsWith('.')) throw invalid(key, 'a part begins with a dot');
  }
  if (reserved.includes(parts[0] ?? '')) throw invalid(key, `${parts[0]}/ is reserved`);
  if (Buffer.byteLength(key) > maxKeyBytes) {
    throw invalid(key, `it has more than ${maxKeyBytes} bytes`);
  }
  return parts;
}
