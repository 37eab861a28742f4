/**
 * The manifest is clear text, and applications keep keys in settings of their own (`app.jwt_secret`): of a setting whose
 * name has a dot only the name is recorded. The value is in the encrypted `globals.sql`.
 */
import type { Inventory } from '../contract/manifest.ts';

type Settings = Pick<Inventory, 'database' | 'roles'>;

const hide = (setting: string): string => {
  const name = setting.slice(0, setting.indexOf('='));
  return name.includes('.') ? `${name}=(in globals.sql)` : setting;
};

export function hideCustomSettings<T extends Settings>(inventory: T): T {
  const { database, roles } = inventory;
  return {
    ...inventory,
    database: { ...database, settings: database.settings.map(hide) },
    roles: roles.map((role) => ({
      ...role,
      settings: role.settings.map((each) => ({ ...each, setting: hide(each.setting) })),
    })),
  };
}
