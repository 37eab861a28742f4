/**
 * Opens a backup: its manifest, whose signature is good and whose keys are ours.
 *
 * Invariant: the ids of the keys are compared before the manifest is read, and nothing in an unsigned manifest is
 * believed. A manifest with a good signature in another backup's place is refused too.
 */
import { createHash } from 'node:crypto';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import type { Manifest } from '../contract/manifest.ts';
import { decodeSignature } from '../evidence/signature-file.ts';
import { requireKeys } from '../keyring/require-keys.ts';
import { vaultKeys } from '../vault/keys.ts';
import { decodeManifest } from './manifest-formats.ts';

export type OpenDeps = Pick<Deps, 'vault' | 'vaultId' | 'keyRing'>;

export interface OpenedBackup {
  readonly manifest: Manifest;
  /** SHA-256 of the manifest as it is stored, hex. */
  readonly sha256: string;
}

/** A worker verifies thousands of objects of one backup: reading and parsing 10,000 segments once is enough. */
const remembered = new Map<string, OpenedBackup>();
const rememberedAtMost = 4;

/**
 * @param options.isFresh reads the manifest again although this process has seen one with this very signature
 * @throws BackupNotFoundError when there is no manifest; KeyMismatchError before it is read; SignatureInvalidError,
 * ManifestInvalidError
 */
export async function loadManifest(
  deps: OpenDeps,
  source: string,
  backupId: string,
  options: { readonly isFresh?: boolean } = {},
): Promise<OpenedBackup> {
  const signature = await readSignature(deps, source, backupId);
  requireKeys(deps.keyRing, { signingKeyId: signature.keyId }, `backup ${backupId}`);
  const name = JSON.stringify([deps.vault.location, source, backupId, signature]);
  const known = remembered.get(name);
  if (known !== undefined && options.isFresh !== true) return known;
  const body = await readManifest(deps, source, backupId);
  await deps.keyRing.verify(body, signature);
  const key = vaultKeys.manifest(source, backupId);
  const manifest = decodeManifest(body, key);
  assertInPlace(deps, manifest, source, backupId, key);
  requireKeys(deps.keyRing, { encryptionKeyId: manifest.encryption.keyId }, `backup ${backupId}`);
  const opened = { manifest, sha256: createHash('sha256').update(body).digest('hex') };
  remember(name, opened);
  return opened;
}

function assertInPlace(
  deps: OpenDeps,
  manifest: Manifest,
  source: string,
  backupId: string,
  key: string,
): void {
  if (manifest.backupId !== backupId || manifest.source.name !== source) {
    throw new HoldfastError(
      'SignatureInvalidError',
      `${key} is the manifest of another backup, ${manifest.backupId}.`,
    );
  }
  if (manifest.vaultId !== deps.vaultId) {
    throw new HoldfastError(
      'SignatureInvalidError',
      `${key} belongs to vault ${manifest.vaultId}; this is ${deps.vaultId}.`,
    );
  }
}

async function readSignature(deps: OpenDeps, source: string, backupId: string) {
  const key = vaultKeys.signature(source, backupId);
  let body: Uint8Array;
  try {
    body = await deps.vault.get(key);
  } catch (cause) {
    if (!isHoldfastError(cause, 'ObjectNotFoundError')) throw cause;
    // Neither of them: there is no such backup. Only the manifest: its signature was taken away.
    await readManifest(deps, source, backupId);
    throw new HoldfastError(
      'SignatureInvalidError',
      `The manifest has no signature: ${key} is missing.`,
      {
        cause,
      },
    );
  }
  return decodeSignature(body, key);
}

async function readManifest(deps: OpenDeps, source: string, backupId: string): Promise<Uint8Array> {
  try {
    return await deps.vault.get(vaultKeys.manifest(source, backupId));
  } catch (cause) {
    if (!isHoldfastError(cause, 'ObjectNotFoundError')) throw cause;
    throw new HoldfastError(
      'BackupNotFoundError',
      `There is no backup ${backupId} of ${source} in ${deps.vault.location}: it has no manifest.`,
      { cause, evidence: { source, backupId } },
    );
  }
}

function remember(name: string, opened: OpenedBackup): void {
  remembered.delete(name);
  remembered.set(name, opened);
  const [oldest] = remembered.keys();
  if (remembered.size > rememberedAtMost && oldest !== undefined) remembered.delete(oldest);
}
