/** Extensions that are installed, and whether one without superuser rights could create them. */
import type { Inventory } from '../contract/manifest.ts';
import type { Session } from '../postgres/session.ts';

export async function readExtensions(session: Session): Promise<Inventory['extensions']> {
  return session.query<Inventory['extensions'][number]>(`
    SELECT e.extname AS name, e.extversion AS version, n.nspname AS schema,
           available.trusted AS "isTrusted"
      FROM pg_catalog.pg_extension e
      JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
      LEFT JOIN pg_catalog.pg_available_extension_versions available
             ON available.name = e.extname AND available.version = e.extversion
     ORDER BY e.extname`);
}
