/**
 * The database as an object of its server: owner, locale, rights, comment, settings. A restore gives them last, so only
 * a comparison of whole databases asks.
 *
 * Invariant: values of an application's own settings (`app.key`) are compared and never shown.
 */
import type { Inventory } from '../contract/manifest.ts';
import type { Difference } from '../contract/restore.ts';
import { hideCustomSettings } from '../inventory/hide-custom-settings.ts';
import { splitStatements } from '../schema/split-statements.ts';
import { identifier } from '../schema/sql-text.ts';
import type { Side } from './side.ts';

type Database = Inventory['database'];
type Roles = Inventory['roles'];

/** Everything but the name, which may be another one. */
export async function compareDatabases(left: Side, right: Side): Promise<Difference[]> {
  const [ours, theirs] = await Promise.all([factsOf(left), factsOf(right)]);
  const isSameSecret = await secretsComparer(left, right);
  return [...new Set([...ours.keys(), ...theirs.keys()])].flatMap((object) => {
    const [a, b] = [ours.get(object) ?? notSet, theirs.get(object) ?? notSet];
    const base = { kind: 'setting', object, isExpected: object === libraryVersion };
    if (a !== b) return [{ ...base, left: a, right: b }];
    const [name = '', role] = object.split(ofRole);
    if (!name.includes('.') || isSameSecret(name, role)) return [];
    return [{ ...base, left: 'not the same (not shown)', right: 'not the same (not shown)' }];
  });
}

const notSet = 'not set';
const ofRole = ' in this database of role ';

/** Statements of `globals` have the values; each setting is one statement. */
async function secretsComparer(left: Side, right: Side) {
  const [ours, theirs] = (await Promise.all([left.globals(), right.globals()])).map(
    splitStatements,
  );
  const find = (statements: readonly string[] | undefined, name: string, role?: string) => {
    const whose = role === undefined ? "'ALTER DATABASE '" : `ALTER ROLE ${identifier(role)} IN`;
    return statements?.find(
      (text) => text.includes(` SET ${identifier(name)} TO `) && text.includes(whose),
    );
  };
  return (name: string, role?: string) => find(ours, name, role) === find(theirs, name, role);
}

/** Another machine has another library; the indexes of a restored database were built with it. */
const libraryVersion = 'version of the collation library';

async function factsOf(side: Side): Promise<Map<string, string>> {
  const { database, roles } = hideCustomSettings({
    database: await side.database(),
    roles: await side.roles(),
  });
  return new Map([...databaseFacts(database), ...roleFacts(roles)]);
}

function databaseFacts(database: Database): [string, string][] {
  const facts: [string, string | null][] = [
    ['owner of the database', database.owner],
    ['encoding', database.encoding],
    ['locale provider', database.localeProvider],
    ['LC_COLLATE', database.collate],
    ['LC_CTYPE', database.ctype],
    ['locale', database.locale],
    ['ICU rules', database.icuRules],
    [libraryVersion, database.collationVersion],
    ['connection limit', String(database.connectionLimit)],
    ['rights on the database', rightsOf(database)],
    ['comment on the database', database.comment],
  ];
  const labels = database.securityLabels.map(({ provider, label }): [string, string] => [
    `security label of ${provider}`,
    label,
  ]);
  const settings = database.settings.map((setting) => settingFact('', setting));
  const told = facts.filter((fact): fact is [string, string] => fact[1] !== null);
  return [...told, ...labels, ...settings];
}

function roleFacts(roles: Roles): [string, string][] {
  return roles.flatMap(({ name, settings }) =>
    settings
      .filter(({ inThisDatabase }) => inThisDatabase)
      .map(({ setting }) => settingFact(`${ofRole}${name}`, setting)),
  );
}

function settingFact(whose: string, setting: string): [string, string] {
  const at = setting.indexOf('=');
  return [`${setting.slice(0, at)}${whose}`, setting.slice(at + 1)];
}

/** NULL stands for the usual rights, which are written out as soon as anything is granted. */
function rightsOf({ acl, owner }: Database): string {
  const usual = [`=Tc/${owner}`, `${owner}=CTc/${owner}`];
  return [...(acl ?? usual)].sort().join(', ');
}
