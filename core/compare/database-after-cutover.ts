/**
 * The restored database as an object of its server, after it was given its owner, rights, limit, comment and settings.
 *
 * Invariants: what the role options asked for is no difference; grantors are not compared, for a restore grants as the
 * owner; values of an application's own settings (`app.key`) are compared and never shown. Locale and encoding are a
 * matter of the preflight: the database was created with them.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import {
  type Inventory,
  type Manifest,
  type Warning,
  warningSchema,
} from '../contract/manifest.ts';
import { type Difference, differenceSchema, type RestoreRun } from '../contract/restore.ts';
import { readDatabase } from '../inventory/database.ts';
import { hideCustomSettings } from '../inventory/hide-custom-settings.ts';
import { readRoles } from '../inventory/roles.ts';
import type { Session } from '../postgres/session.ts';
import { withRoleOptions } from '../restore/cutover/settings.ts';
import { globalsOf } from '../restore/definitions.ts';
import { writeFact } from '../restore/restore-run.ts';
import { parseAclItem } from '../schema/acl-item.ts';
import { isHidden } from '../schema/custom-settings.ts';

type Globals = Pick<Inventory, 'database' | 'roles'>;

/** The fact that the report adds to what the compare states found. */
export const databaseDifferencesFact = 'database-differences';
export const databaseDifferencesSchema = z.array(differenceSchema);

const namedInWarning = 5;

/**
 * Writes what it finds to the fact `database-differences` and, what is not expected, as a warning. A difference is a
 * result: it ends no cutover.
 *
 * @param session in the restored database, after `applyDatabaseSettings`
 * @throws errors of the session, of the workspace and of reading the backup
 */
export async function compareDatabaseAfterCutover(
  deps: Deps,
  run: RestoreRun,
  manifest: Manifest,
  session: Session,
): Promise<Difference[]> {
  const { roles } = run.input;
  const [{ me = '' } = {}] = await session.query<{ me: string }>('SELECT current_user AS me');
  const wanted = withRoleOptions(await globalsOf(deps, manifest), roles, me);
  const found = { database: await readDatabase(session), roles: await readRoles(session) };
  const differences = differencesOf(wanted, found);
  const real = differences.filter(({ isExpected }) => !isExpected);
  const { workspace } = deps;
  await writeFact(
    workspace,
    run.runId,
    databaseDifferencesFact,
    databaseDifferencesSchema,
    differences,
  );
  if (real.length > 0) {
    const warnings = z.array(warningSchema);
    await writeFact(workspace, run.runId, 'warnings-database', warnings, [warningOf(real)]);
  }
  return differences;
}

function warningOf(differences: readonly Difference[]): Warning {
  const named = differences.slice(0, namedInWarning).map(({ object }) => object);
  const more = differences.length - named.length;
  return {
    code: 'database-different',
    message: `The database is not in all as in the backup: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`,
    hint: 'See the differences in the report, and give it what is missing as an administrator of the server.',
  };
}

const notSet = 'not set';
const notShown = 'not the same (not shown)';

function differencesOf(wanted: Globals, found: Globals): Difference[] {
  const [ours, theirs] = [factsOf(wanted), factsOf(found)];
  const [oursShown, theirsShown] = [factsOf(hidden(wanted)), factsOf(hidden(found))];
  return [...new Set([...ours.keys(), ...theirs.keys()])].flatMap((object) => {
    if (ours.get(object) === theirs.get(object)) return [];
    const left = oursShown.get(object) ?? notSet;
    const right = theirsShown.get(object) ?? notSet;
    // A backup of data alone has the names of custom settings, and cannot tell.
    if (left === right && isHidden(`=${ours.get(object)}`)) return [];
    const shown = left === right ? { left: notShown, right: notShown } : { left, right };
    return [{ kind: 'setting', object, ...shown, isExpected: false }];
  });
}

/** The shape is that of a manifest: values of custom settings are not in it. */
const hidden = ({ database, roles }: Globals): Globals => hideCustomSettings({ database, roles });

function factsOf({ database, roles }: Globals): Map<string, string> {
  const settings = (whose: string, texts: readonly string[]) =>
    texts.map((text): [string, string] => {
      const at = text.indexOf('=');
      return [`${text.slice(0, at)}${whose}`, text.slice(at + 1)];
    });
  return new Map([
    ['owner of the database', database.owner],
    ['connection limit', String(database.connectionLimit)],
    ['rights on the database', rightsOf(database)],
    ...(database.comment === null
      ? []
      : [['comment on the database', database.comment] as [string, string]]),
    ...database.securityLabels.map(({ provider, label }): [string, string] => [
      `security label of ${provider}`,
      label,
    ]),
    ...settings('', database.settings),
    ...roles.flatMap((role) =>
      settings(
        ` in this database of role ${role.name}`,
        role.settings.filter(({ inThisDatabase }) => inThisDatabase).map(({ setting }) => setting),
      ),
    ),
  ]);
}

/** By grantee, whoever granted it; NULL stands for the usual rights. */
function rightsOf({ acl, owner }: Inventory['database']): string {
  if (acl === null)
    return textOf(
      new Map([
        ['', new Set(['T', 'c'])],
        [owner, everything],
      ]),
    );
  const rights = new Map<string, Set<string>>();
  for (const item of acl) {
    const { grantee, privileges } = parseAclItem(item);
    const granted = rights.get(grantee) ?? new Set<string>();
    for (const { letter, isGrantable } of privileges)
      granted.add(`${letter}${isGrantable ? '*' : ''}`);
    rights.set(grantee, granted);
  }
  return textOf(rights);
}

const everything = new Set(['C', 'T', 'c']);

const textOf = (rights: ReadonlyMap<string, ReadonlySet<string>>): string =>
  [...rights]
    .filter(([, letters]) => letters.size > 0)
    .map(
      ([grantee, letters]) =>
        `${grantee === '' ? 'PUBLIC' : grantee}=${[...letters].sort().join('')}`,
    )
    .sort()
    .join(', ') || 'none';
