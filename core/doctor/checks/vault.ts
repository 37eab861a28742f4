/** The vault and its keys: written to, kept from others, and usable. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { VaultMarker } from '../../contract/catalogue.ts';
import { HoldfastError } from '../../contract/errors.ts';
import type { KeyRing } from '../../keyring/key-ring.ts';
import { requireKeys } from '../../keyring/require-keys.ts';
import type { Vault, Workspace } from '../../vault/vault.ts';
import { type CheckDefinition, ok, problem } from '../check.ts';

export interface VaultTarget {
  readonly vault: Vault;
  readonly workspace: Workspace;
  readonly marker: VaultMarker;
}

/** Writes and withdraws: in a locked vault nothing that was committed could be taken away again. */
export const vaultWritable: CheckDefinition<VaultTarget> = {
  id: 'vault-writable',
  title: 'Vault can be written',
  async look({ vault, workspace }) {
    const name = `doctor/${randomBytes(8).toString('hex')}`;
    const writer = await vault.openWriter(name);
    try {
      await writer.write(randomBytes(4096));
    } finally {
      await writer.abort();
    }
    await workspace.put(name, randomBytes(64), { ifNoneMatch: '*' });
    await workspace.delete(name);
    return ok(`${vault.location} takes objects and records.`);
  },
};

export interface PrivacyTarget {
  readonly location: string;
  /** Permission bits of the vault's folder; undefined where there are none. */
  readonly folderMode: () => Promise<number | undefined>;
}

/** Content is encrypted; names of tables in the catalogue, sizes and times are not, and who can write can destroy. */
export const vaultPrivate: CheckDefinition<PrivacyTarget> = {
  id: 'vault-private',
  title: 'Vault is closed to others',
  async look({ location, folderMode }) {
    const mode = await folderMode();
    if (mode === undefined || (mode & 0o077) === 0)
      return ok(`Only its owner can enter ${location}.`);
    const octal = (mode & 0o777).toString(8).padStart(3, '0');
    const may = (mode & 0o022) === 0 ? 'read' : 'read and destroy';
    return problem(`Others can ${may} ${location} (mode ${octal}).`, `chmod 700 ${location}`);
  },
};

export interface KeyTarget {
  readonly marker: VaultMarker;
  readonly location: string;
  /** @throws KeyFileMissingError, KeyFileInsecureError … */
  readonly keyRing: () => Promise<KeyRing>;
}

export const keyUsable: CheckDefinition<KeyTarget> = {
  id: 'key-usable',
  title: 'Key opens what it closes',
  async look({ marker, location, keyRing }) {
    const keys = await keyRing();
    requireKeys(keys, marker, `vault ${location}`);
    const context = { vault: marker.vaultId, source: 'doctor', backup: 'doctor', object: 'doctor' };
    const plain = randomBytes(1000);
    const sealing = keys.encryptObject(context, plain.length).openSegment();
    const [, sealed] = await Promise.all([
      pipeline(Readable.from([plain]), sealing),
      buffer(sealing),
    ]);
    const opening = keys.decryptSegment(context);
    const [, opened] = await Promise.all([
      pipeline(Readable.from([sealed]), opening),
      buffer(opening),
    ]);
    if (!opened.equals(plain)) {
      throw new HoldfastError('DecryptionError', 'What was encrypted did not come back the same.');
    }
    await keys.verify(plain, await keys.sign(plain));
    return ok(
      `Key ${keys.encryptionKeyId} encrypts and decrypts, ${keys.signingKeyId} signs and verifies.`,
    );
  },
};
