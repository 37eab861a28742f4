/**
 * Readers of every manifest format that was ever published: a backup of any age can be restored.
 *
 * Invariant: a reader is never removed, and gives the newest form; nothing else in Holdfast knows of older ones. A frozen
 * vault of each format (test/fixtures) must restore for ever.
 */
import { z } from 'zod';
import { HoldfastError } from '../contract/errors.ts';
import { type Manifest, manifestSchema } from '../contract/manifest.ts';
import { decodeJson } from '../vault/json.ts';

/** The format that this version writes. */
export const currentFormat = 1;

const readers: Readonly<Record<number, (body: Uint8Array, key: string) => Manifest>> = {
  1: (body, key) => decodeJson(manifestSchema, body, key),
};

const versionSchema = z.looseObject({ formatVersion: z.int().positive() });

/** @throws ManifestInvalidError, also for a format that is newer than this version of Holdfast */
export function decodeManifest(body: Uint8Array, key: string): Manifest {
  const { formatVersion } = decodeJson(versionSchema, body, key);
  const read = readers[formatVersion];
  if (read !== undefined) return read(body, key);
  throw new HoldfastError(
    'ManifestInvalidError',
    `${key} is of format ${formatVersion}; this Holdfast reads formats 1 to ${currentFormat}.`,
    { hint: 'Upgrade Holdfast: the backup was made by a newer version.' },
  );
}
