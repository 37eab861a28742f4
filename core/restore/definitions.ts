/**
 * The definitions in a backup: SQL text of its sections, and the entries of that text as this restore wants them.
 *
 * Invariant: they are those of the manifest that PlanRestore has chosen, authenticated to the last byte.
 */
import { text } from 'node:stream/consumers';
import { HoldfastError } from '../contract/errors.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { RestoreRun } from '../contract/restore.ts';
import { hasHiddenSettings, revealCustomSettings } from '../schema/custom-settings.ts';
import { type SchemaEntry, type SchemaText, splitEntries } from '../schema/split-entries.ts';
import { loadManifest, type OpenDeps } from '../verify/open-backup.ts';
import { openSegment, type ReadDeps } from '../verify/read-segment.ts';
import { applyRoleOptions } from './create/role-options.ts';

export type SectionName = Manifest['schema'][number]['name'];
type Run = Pick<RestoreRun, 'backup' | 'input'>;

/**
 * @returns the text; empty when the backup has no such section (data only)
 * @throws ObjectNotFoundError, ObjectTruncatedError, ObjectDamagedError, DecryptionError
 */
export async function readSection(
  deps: ReadDeps,
  manifest: Pick<Manifest, 'schema' | 'objects'>,
  name: SectionName,
): Promise<string> {
  const section = manifest.schema.find((one) => one.name === name);
  if (section === undefined) return '';
  const object = manifest.objects[section.segment.object];
  if (object === undefined) {
    throw new HoldfastError('ManifestInvalidError', `Section ${name} lies in no object.`);
  }
  return text((await openSegment(deps, object, section.segment)).plain);
}

/**
 * The manifest of a restore's backup.
 *
 * @throws SignatureInvalidError when it is not the one that PlanRestore read; what `loadManifest` throws
 */
export async function manifestOf(
  deps: OpenDeps,
  run: Pick<RestoreRun, 'backup'>,
): Promise<Manifest> {
  const { source, backupId, manifestSha256 } = run.backup;
  const { manifest, sha256 } = await loadManifest(deps, source, backupId);
  if (sha256 === manifestSha256) return manifest;
  throw new HoldfastError(
    'SignatureInvalidError',
    `The manifest of ${backupId} has SHA-256 ${sha256}; it had ${manifestSha256} when this restore began.`,
  );
}

/**
 * Roles and the database as the backup has them, with the values of settings that the manifest only names.
 *
 * @throws as readSection
 */
export async function globalsOf(
  deps: ReadDeps,
  manifest: Manifest,
): Promise<Pick<Manifest['inventory'], 'roles' | 'database'>> {
  const { roles, database } = manifest.inventory;
  if (!hasHiddenSettings({ roles, database })) return { roles, database };
  return revealCustomSettings({ roles, database }, await readSection(deps, manifest, 'globals'));
}

/** A section cut up, with the run's role options applied. */
export async function sectionOf(
  deps: ReadDeps,
  run: Run,
  section: SectionName,
): Promise<SchemaText> {
  const sql = await readSection(deps, await manifestOf(deps, run), section);
  const { preamble, entries } = splitEntries(sql);
  return { preamble, entries: applyRoleOptions(entries, run.input.roles) };
}

export const entriesOf = async (
  deps: ReadDeps,
  run: Run,
  section: SectionName,
): Promise<SchemaEntry[]> => (await sectionOf(deps, run, section)).entries;
