/** The marker `vault.json`: says that this is a vault, and which keys belong to it, before anything else is read. */
import { type VaultMarker, vaultMarkerSchema } from '../contract/catalogue.ts';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import { decodeJson, encodeJson } from './json.ts';
import { vaultKeys } from './keys.ts';
import type { Vault } from './vault.ts';

/** @throws VaultNotFoundError when it is missing or cannot be understood; VaultAccessDeniedError … */
export async function readVaultMarker(vault: Vault): Promise<VaultMarker> {
  try {
    return decodeJson(vaultMarkerSchema, await vault.get(vaultKeys.marker), vaultKeys.marker);
  } catch (cause) {
    if (!isHoldfastError(cause, 'ObjectNotFoundError', 'ManifestInvalidError')) throw cause;
    if (cause.name === 'ObjectNotFoundError') {
      throw new HoldfastError(
        'VaultNotFoundError',
        `${vault.location} is not a vault: it has no ${vaultKeys.marker}.`,
        { cause, evidence: { location: vault.location } },
      );
    }
    throw new HoldfastError(
      'VaultNotFoundError',
      `${vault.location} is not a vault that can be read: ${cause.message}`,
      {
        cause,
        hint: 'Restore vault.json from a copy of the vault, or use the Holdfast that made it.',
      },
    );
  }
}

/**
 * Makes a bucket a vault, once: its stack makes it empty, and the first backup finds it so.
 * @returns the marker that is there now, whoever wrote it
 */
export async function ensureVaultMarker({
  vault,
  vaultId,
  keyRing,
  now,
}: Pick<Deps, 'vault' | 'vaultId' | 'keyRing' | 'now'>): Promise<VaultMarker> {
  try {
    return await readVaultMarker(vault);
  } catch (error) {
    const isMissing =
      isHoldfastError(error, 'VaultNotFoundError') &&
      isHoldfastError(error.cause, 'ObjectNotFoundError');
    if (!isMissing) throw error;
  }
  const marker: VaultMarker = {
    format: 'holdfast-vault',
    formatVersion: 1,
    vaultId,
    createdAt: now().toISOString(),
    encryptionKeyId: keyRing.encryptionKeyId,
    signingKeyId: keyRing.signingKeyId,
  };
  try {
    await vault.put(vaultKeys.marker, encodeJson(marker));
    return marker;
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
    return readVaultMarker(vault);
  }
}
