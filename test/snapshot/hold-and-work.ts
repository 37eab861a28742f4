/** A process of its own for kill -9: holds a run's snapshot, works in it, says so and waits. Arguments as JSON. */
import { applicationNameOf } from '../../core/postgres/application-name.ts';
import { openSession } from '../../core/postgres/session.ts';
import { holdSnapshot } from '../../core/snapshot/hold-snapshot.ts';
import { importSnapshot } from '../../core/snapshot/import-snapshot.ts';
import { readSnapshot } from '../../core/snapshot/marks.ts';
import { snapshotDeps } from './support.ts';

const { folder, runId, connection } = JSON.parse(process.argv[2] ?? '');
const settings = { ...connection, password: async () => connection.password };
const deps = snapshotDeps(folder, settings, []);
await holdSnapshot(deps, { runId, attempt: 1 });
const session = await openSession(settings, {
  applicationName: applicationNameOf(runId, 'unit-0'),
  purpose: 'worker',
});
await importSnapshot(session, await readSnapshot(deps.workspace, runId));
console.log('working');
setInterval(() => undefined, 1_000);
