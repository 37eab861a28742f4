/** How much memory a session that builds may use. */
import type { RestoreRun } from '../../contract/restore.ts';
import type { Session } from '../../postgres/session.ts';

/** Sorts gain little beyond it. */
const mostKilobytes = 1 << 20;

/**
 * Half of what shared_buffers is (an eighth of the machine's memory, as servers are usually set), shared by all builds
 * that run at once; never less than the server's own setting.
 */
export async function prepareMemory(
  session: Session,
  { input }: Pick<RestoreRun, 'input'>,
): Promise<void> {
  await session.query(
    `SELECT pg_catalog.set_config('maintenance_work_mem', GREATEST(own.setting::pg_catalog.int8,
              LEAST($1::pg_catalog.int8, shared.setting::pg_catalog.int8 * 8 / 2 / $2::pg_catalog.int8)) || 'kB', false)
       FROM pg_catalog.pg_settings own, pg_catalog.pg_settings shared
      WHERE own.name = 'maintenance_work_mem' AND shared.name = 'shared_buffers'`,
    [mostKilobytes, input.options.jobs],
  );
}
