/** Extensions: each that the backup has must be to be had here in the same or a newer version, by this role. */
import type { Manifest } from '../../contract/manifest.ts';
import { listed, plural } from '../../doctor/check.ts';
import { type Finding, failed, ok, type PreflightCheck, type ServerTarget } from './check.ts';

interface AvailableRow {
  name: string;
  version: string;
  /** What CREATE EXTENSION takes when the version of the source is not to be had. */
  isDefault: boolean;
  needsSuperuser: boolean;
}

interface RoleRow {
  isSuperuser: boolean;
}

/** Roles of managed servers, to which the provider gives the right to create the extensions it offers. */
const providerRoles = [
  'rds_superuser',
  'cloudsqlsuperuser',
  'alloydbsuperuser',
  'azure_pg_admin',
  'neon_superuser',
];

export const extensions: PreflightCheck<ServerTarget> = {
  check: 'extensions',
  modes: ['new', 'swap'],
  async look({ session, manifest }): Promise<Finding[]> {
    // In template0 already.
    const wanted = manifest.inventory.extensions.filter(({ name }) => name !== 'plpgsql');
    if (wanted.length === 0) return [ok('The backup has no extensions.')];
    const available = await session.query<AvailableRow>(
      `SELECT v.name, v.version, e.default_version = v.version AS "isDefault",
              v.superuser AND NOT v.trusted AS "needsSuperuser"
         FROM pg_catalog.pg_available_extension_versions v
         JOIN pg_catalog.pg_available_extensions e ON e.name = v.name
        WHERE v.name = ANY ($1)`,
      [wanted.map(({ name }) => name)],
    );
    const [role] = await session.query<RoleRow>(
      `SELECT rolsuper OR EXISTS (SELECT FROM pg_catalog.pg_roles p WHERE p.rolname = ANY ($1)
                AND pg_catalog.pg_has_role(p.oid, 'MEMBER')) AS "isSuperuser"
         FROM pg_catalog.pg_roles WHERE rolname = current_user`,
      [providerRoles],
    );
    const findings = [
      missingOf(wanted, available),
      olderOf(wanted, available),
      role?.isSuperuser === true ? undefined : forbiddenOf(available),
    ].filter((finding) => finding !== undefined);
    if (findings.length > 0) return findings;
    return [
      ok(
        `${plural(wanted.length, 'extension')} can be had in the same or a newer version: ` +
          `${listed(wanted.map(({ name }) => name))}.`,
      ),
    ];
  },
};

type Wanted = Manifest['inventory']['extensions'];

function missingOf(wanted: Wanted, available: readonly AvailableRow[]): Finding | undefined {
  const missing = wanted.filter(({ name }) => !available.some((one) => one.name === name));
  if (missing.length === 0) return undefined;
  return failed(
    `The server does not have ${plural(missing.length, 'extension')}: ` +
      `${listed(missing.map(({ name, version }) => `${name} ${version}`))}.`,
    'Install the packages on the server (or allow the extensions, on a managed one), or restore to a server that has them.',
  );
}

function olderOf(wanted: Wanted, available: readonly AvailableRow[]): Finding | undefined {
  const older = wanted.flatMap(({ name, version }) => {
    if (available.some((one) => one.name === name && one.version === version)) return [];
    const here = available.find((one) => one.name === name && one.isDefault);
    const isOlder = here !== undefined && compareVersions(here.version, version) < 0;
    return isOlder ? [`${name} ${here.version} (the backup has ${version})`] : [];
  });
  if (older.length === 0) return undefined;
  return failed(
    `The server has ${plural(older.length, 'extension')} in an older version: ${listed(older)}.`,
    'Upgrade the packages on the server to the same version or a newer one.',
  );
}

function forbiddenOf(available: readonly AvailableRow[]): Finding | undefined {
  const names = available
    .filter(({ isDefault, needsSuperuser }) => isDefault && needsSuperuser)
    .map(({ name }) => name);
  if (names.length === 0) return undefined;
  return failed(
    `Only a superuser may create ${plural(names.length, 'extension')}: ${listed(names)}.`,
    'Restore with a role that may, or have a superuser make the extensions trusted.',
  );
}

/** Parts that are numbers as numbers: 1.10 is newer than 1.9. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(/[.\-+]/));
  const length = Math.max(left?.length ?? 0, right?.length ?? 0);
  for (let at = 0; at < length; at += 1) {
    const [one, other] = [left?.[at] ?? '0', right?.[at] ?? '0'];
    const isNumbers = /^\d+$/.test(one) && /^\d+$/.test(other);
    const order = isNumbers ? Number(one) - Number(other) : one < other ? -1 : Number(one > other);
    if (order !== 0) return order;
  }
  return 0;
}
