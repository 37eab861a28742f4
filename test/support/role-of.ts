/** A role as an inventory has it: with no rights at all, but for what a test gives it. */
import type { Inventory } from '../../core/contract/manifest.ts';

type Role = Inventory['roles'][number];

export const roleOf = (name: string, more: Partial<Role> = {}): Role => ({
  name,
  canLogin: false,
  isSuperuser: false,
  inherits: true,
  canCreateRole: false,
  canCreateDatabase: false,
  canReplicate: false,
  bypassesRowSecurity: false,
  connectionLimit: -1,
  validUntil: null,
  memberOf: [],
  comment: null,
  settings: [],
  ...more,
});
