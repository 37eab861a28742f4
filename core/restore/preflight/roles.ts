/**
 * Roles that the backup refers to: owners, grantees, roles of policies. One that is missing ends a restore at the first
 * statement that names it, so all of them are named here, with the ways out.
 */
import { listed, plural } from '../../doctor/check.ts';
import { splitEntries } from '../../schema/split-entries.ts';
import { identifier } from '../../schema/sql-text.ts';
import { applyRoleOptions } from '../create/role-options.ts';
import { readSection } from '../definitions.ts';
import { chooseTables } from '../into/choose-tables.ts';
import {
  type Finding,
  failed,
  ok,
  type PreflightCheck,
  type ServerTarget,
  warning,
} from './check.ts';

const waysOut =
  'Create them, or add one of: --create-missing-roles (as NOLOGIN), --role-map NAME=OTHER, ' +
  '--no-owner and --no-privileges (all then belongs to you and nobody else has rights; policies stay as they are).';

export const roles: PreflightCheck<ServerTarget> = {
  check: 'roles',
  modes: ['new', 'swap'],
  async look(target): Promise<Finding[]> {
    const { session, manifest, input } = target;
    const { createMissing, noOwner, noPrivileges, map } = input.roles;
    const names = manifest.inventory.roles.map(({ name }) => name);
    const mapped = Object.entries(map);
    const rows = await session.query<{ name: string }>(
      'SELECT rolname AS name FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)',
      [[...names, ...mapped.map(([, to]) => to)]],
    );
    const there = new Set(rows.map(({ name }) => name));
    const findings: Finding[] = [];

    const nowhere = mapped.filter(([, to]) => !there.has(to)).map(([from, to]) => `${from}=${to}`);
    if (nowhere.length > 0) {
      findings.push(
        failed(
          `--role-map leads to roles that the server does not have: ${listed(nowhere)}.`,
          'Name roles of the target on the right side, or create them first.',
        ),
      );
    }
    const unknown = mapped.filter(([from]) => !names.includes(from)).map(([from]) => from);
    if (unknown.length > 0) {
      findings.push(
        warning(
          `--role-map names roles that the backup does not refer to: ${listed(unknown)}.`,
          `The backup refers to: ${names.length === 0 ? 'none' : listed(names)}.`,
        ),
      );
    }
    const missing = names.filter((name) => !there.has(name) && !Object.hasOwn(map, name));
    if (missing.length > 0 && createMissing) findings.push(await creatable(session, missing));
    else if (missing.length > 0) {
      // Without owners or rights a role may not be needed any more: the definitions tell.
      const needed = noOwner || noPrivileges ? await namedIn(target, missing) : missing;
      if (needed.length > 0) {
        const seen = `The server lacks ${plural(needed.length, 'role')} of the backup: ${listed(needed)}.`;
        findings.push(failed(seen, waysOut));
      }
    }
    if (findings.length > 0) return findings;
    return [
      ok(
        missing.length === 0
          ? `No role that the backup refers to is missing (${plural(names.length, 'role')}).`
          : `Nothing that is restored names the ${plural(missing.length, 'role')} that the server lacks: ${listed(missing)}.`,
      ),
    ];
  },
};

/** Which of these roles the definitions still name when the options for roles are applied. */
async function namedIn(
  { deps, manifest, input }: ServerTarget,
  missing: readonly string[],
): Promise<string[]> {
  // Put in place of each role wherever one stands; no name of a role of the backup.
  const marks = new Map(missing.map((name, index) => [name, `holdfast ${index} missing`]));
  const options = { ...input.roles, map: Object.fromEntries(marks) };
  const text: string[] = [];
  for (const section of ['pre-data', 'post-data'] as const) {
    const { entries } = splitEntries(await readSection(deps, manifest, section));
    text.push(...applyRoleOptions(entries, options).flatMap(({ statements }) => statements));
  }
  const all = text.join('\n');
  return missing.filter((name) => all.includes(identifier(marks.get(name) as string)));
}

async function creatable(
  session: ServerTarget['session'],
  missing: readonly string[],
): Promise<Finding> {
  const [row] = await session.query<{ mayCreate: boolean }>(
    'SELECT rolsuper OR rolcreaterole AS "mayCreate" FROM pg_catalog.pg_roles WHERE rolname = current_user',
  );
  const what = `${plural(missing.length, 'missing role')}: ${listed(missing)}`;
  if (row?.mayCreate === true) return ok(`Will be created as NOLOGIN, ${what}.`);
  return failed(
    `The role may not create the ${what}.`,
    'ALTER ROLE … CREATEROLE, restore with a role that has it, or have them created.',
  );
}

/** Of tables that exist already the owner stays; of which it is, is not known yet. */
export const rolesOfTables: PreflightCheck<ServerTarget> = {
  check: 'roles',
  modes: ['into'],
  async look({ session, manifest, input: { selection, roles: options } }) {
    const tables = chooseTables(manifest, selection).flatMap((at) => manifest.tables[at] ?? []);
    const owners = new Set(tables.map(({ owner }) => options.map[owner] ?? owner));
    const rows = await session.query<{ name: string }>(
      'SELECT rolname AS name FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)',
      [[...owners]],
    );
    const missing = [...owners].filter((name) => !rows.some((row) => row.name === name));
    if (missing.length === 0 || options.noOwner) return ok('The owners of the tables are there.');
    return warning(
      `The server lacks ${plural(missing.length, 'role')} that tables of the backup belong to: ${listed(missing)}.`,
      'A table that is not there yet cannot be made for it: add --no-owner or --role-map NAME=OTHER.',
    );
  },
};

interface OwnerRow {
  name: string;
  maySet: boolean;
}

/** ALTER … OWNER TO needs the right to SET ROLE to the new owner. */
export const ownership: PreflightCheck<ServerTarget> = {
  check: 'ownership',
  modes: ['new', 'swap'],
  async look({ session, manifest, input }) {
    const { noOwner, map } = input.roles;
    if (noOwner) return ok('Everything will belong to the role that restores.');
    const { tables, inventory } = manifest;
    const owners = new Set(
      [...tables.map(({ owner }) => owner), inventory.database.owner].map(
        (name) => map[name] ?? name,
      ),
    );
    const right = session.serverVersionNum >= 160000 ? 'SET' : 'MEMBER';
    const rows = await session.query<OwnerRow>(
      `SELECT rolname AS name, pg_catalog.pg_has_role(oid, '${right}') AS "maySet"
         FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)`,
      [[...owners]],
    );
    const closed = rows.filter(({ maySet }) => !maySet).map(({ name }) => name);
    if (closed.length === 0) return ok('The role may give objects to their owners.');
    return failed(
      `The role may not make objects belong to ${plural(closed.length, 'role')}: ${listed(closed)}.`,
      'GRANT each of them TO the role that restores, or add --no-owner or --role-map NAME=OTHER.',
    );
  },
};
