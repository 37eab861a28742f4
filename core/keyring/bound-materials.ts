/**
 * Materials for decrypting that insist on the encryption context.
 *
 * The SDK authenticates the context that a message carries but leaves it to the caller to compare it with what was
 * expected. Invariant: the data key of a message with another context is not even unwrapped.
 */
import type { NodeMaterialsManager } from '@aws-crypto/material-management-node';
import { HoldfastError } from '../contract/errors.ts';
import type { EncryptionContext } from './key-ring.ts';

/** The SDK reserves this prefix for what it adds by itself. */
const sdkPrefix = 'aws-crypto-';

export const plainContext = ({ vault, source, backup, object }: EncryptionContext) => ({
  vault,
  source,
  backup,
  object,
});

export function boundMaterials(
  materials: NodeMaterialsManager,
  context: EncryptionContext,
): NodeMaterialsManager {
  const expected: Readonly<Record<string, string>> = plainContext(context);
  return {
    getEncryptionMaterials: (request) => materials.getEncryptionMaterials(request),
    async decryptMaterials(request) {
      const found = Object.entries(request.encryptionContext).filter(
        ([name]) => !name.startsWith(sdkPrefix),
      );
      const isEqual =
        found.length === Object.keys(expected).length &&
        found.every(([name, value]) => expected[name] === value);
      if (!isEqual) {
        throw new HoldfastError(
          'DecryptionError',
          `${context.object}: the message was written as ${JSON.stringify(Object.fromEntries(found))}.`,
          { evidence: { expected, found: Object.fromEntries(found) } },
        );
      }
      return materials.decryptMaterials(request);
    },
  };
}
