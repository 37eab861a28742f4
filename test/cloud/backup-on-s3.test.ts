/**
 * The whole way on S3, without stacks: the state machines on the local engine with the handlers in this process, a real
 * PostgreSQL, vault and workspace in buckets, keys of a file.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partBytes } from '../../aws/vault/multipart-upload.ts';
import { openS3Vault } from '../../aws/vault/s3-vault.ts';
import { openS3Workspace } from '../../aws/vault/s3-workspace.ts';
import { backupReportSchema } from '../../core/contract/catalogue.ts';
import type { Deps } from '../../core/contract/deps.ts';
import type { StateName } from '../../core/contract/payloads.ts';
import { backupInputSchema } from '../../core/contract/plan.ts';
import { restoreInputSchema, restoreReportSchema } from '../../core/contract/restore.ts';
import { listCatalogue } from '../../core/evidence/catalogue.ts';
import type { KeyRing } from '../../core/keyring/key-ring.ts';
import { ensureVaultMarker } from '../../core/vault/marker.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import { verifyBackup } from '../../core/verify/verify-backup.ts';
import { handlers } from '../../lambdas/handlers.ts';
import { definitionOf } from '../../local/engine/definition.ts';
import { localDefaults, newRunId } from '../../local/engine/run-backup.ts';
import { localRestoreDefaults } from '../../local/engine/run-restore.ts';
import { execute, loadStateMachine, taskStates } from '../../local/engine/state-machine.ts';
import { createKeyFile } from '../../local/keyring/key-file.ts';
import { openLocalKeyRing } from '../../local/keyring/local-key-ring.ts';
import { collect, expectNoSessions, fillShop, requestedBy } from '../backup/harness.ts';
import { contentOf } from '../restore/harness.ts';
import { onServer } from '../restore/shared-server.ts';
import { sharedSettings, type TestDatabase, testDatabase } from '../support/postgres.ts';
import { replicaRegion } from './emulator-clients.ts';
import { makeReplicatedBuckets, makeWorkspaceBucket } from './vault-buckets.ts';
import { type Fault, faultyProxy, type Seen } from './vault-proxy.ts';

let folder: string;
let keyRing: KeyRing;
let database: TestDatabase;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-on-s3-'));
  keyRing = openLocalKeyRing(await createKeyFile(join(folder, 'key.json')));
  database = await testDatabase('on_s3');
  await fillShop(database);
  // 20 MB that do not compress: objects of several parts.
  await database.query(`
    CREATE TABLE noise (id int PRIMARY KEY, bytes bytea NOT NULL);
    INSERT INTO noise SELECT i, sha512(i::text::bytea) || sha512((-i)::text::bytea) FROM generate_series(1, 160000) i;
  `);
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

interface Place {
  readonly s3: S3Client;
  readonly bucket: string;
}

function depsOf(vaultAt: Place, workspaceAt: Place, replicaAt?: Place): Deps {
  const open = (place: Place) => openS3Vault({ ...place, lockMode: 'GOVERNANCE' });
  return {
    vault: open(vaultAt),
    workspace: openS3Workspace(workspaceAt),
    ...(replicaAt === undefined ? {} : { replica: { vault: open(replicaAt), keyRing } }),
    ...{ vaultId: 'v-on-s3', keyRing },
    connectionOf: async (name) =>
      name === 'shop' ? database.settings : sharedSettings('postgres'),
    now: () => new Date(),
    progress: () => undefined,
    toolVersions: { holdfast: 'test', node: process.versions.node },
  };
}

async function runMachine(name: 'backup' | 'restore', deps: Deps, input: unknown) {
  const definition = await loadStateMachine(definitionOf(name));
  return execute(definition, {
    ...{ name: newRunId(), input },
    retryMilliseconds: Object.fromEntries([...taskStates(definition).keys()].map((s) => [s, 10])),
    call: (state: StateName, payload) => handlers[state](deps)(payload),
  });
}

async function backUp(deps: Deps) {
  await ensureVaultMarker(deps);
  const options = { ...localDefaults, jobs: 2 };
  const input = backupInputSchema.parse({ source: 'shop', requestedBy, options });
  return backupReportSchema.parse(await runMachine('backup', deps, input));
}

/** A restore into a new database, compared with the source; the database is dropped. */
async function restored(deps: Deps, backupId: string) {
  const name = `${database.name}_${newRunId().slice(-8).toLowerCase().replaceAll(/\W/g, '_')}`;
  const options = { ...localRestoreDefaults, jobs: 2 };
  const input = restoreInputSchema.parse({
    ...{ target: 'here', choice: { source: 'shop', backup: backupId }, database: name },
    ...{ requestedBy, options },
  });
  try {
    const report = restoreReportSchema.parse(await runMachine('restore', deps, input));
    expect(await contentOf(name)).toEqual(await contentOf(database.name));
    return report;
  } finally {
    await onServer('postgres', `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  }
}

const sessions = async () =>
  (
    await database.query<{ name: string }>(
      `SELECT application_name AS name FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'holdfast/%'`,
    )
  ).map(({ name }) => name);

describe('a backup on S3', () => {
  it('is published, replicated and verified, and restores identical from either Region', async () => {
    const { primary, replica } = await makeReplicatedBuckets();
    const deps = depsOf(primary, await makeWorkspaceBucket(), replica);
    const { backupId } = await backUp(deps);
    await expectNoSessions({ sessions } as Parameters<typeof expectNoSessions>[0]);
    expect((await collect(listCatalogue(deps.vault))).map((entry) => entry.backupId)).toEqual([
      backupId,
    ]);
    const { manifest } = await loadManifest(deps, 'shop', backupId);
    const sizes = manifest.objects.map(({ storedBytes }) => storedBytes);
    expect(Math.max(...sizes)).toBeGreaterThan(partBytes(1));

    const look = { source: 'shop', backupId, depth: 'full', concurrency: 2, by: requestedBy };
    const verified = await verifyBackup(deps, look as Parameters<typeof verifyBackup>[1]);
    expect(verified).toMatchObject({ verdict: 'intact' });
    expect(await restored(deps, backupId)).toMatchObject({ verdict: 'identical' });

    // Nothing of the primary is used: another bucket, its client, a workspace of the other Region.
    const away = depsOf(replica, await makeWorkspaceBucket(replicaRegion));
    expect(await restored(away, backupId)).toMatchObject({ verdict: 'identical' });
  });

  it('survives a bad network: lost answers, broken connections, throttling', async () => {
    const { primary, replica } = await makeReplicatedBuckets();
    const faults = { lost: 0, cut: 0, throttled: 0 };
    let writes = 0;
    let reads = 0;
    const faultOf = ({ method }: Seen): Fault | undefined => {
      if (method === 'PUT' || method === 'POST') {
        writes += 1;
        if (writes % 6 === 0) {
          faults.lost += 1;
          return { loseAnswer: true };
        }
        if (writes % 17 === 0) {
          faults.throttled += 1;
          return { answer: { status: 503, code: 'SlowDown' } };
        }
      }
      if (method !== 'GET') return undefined;
      reads += 1;
      if (reads % 5 !== 0) return undefined;
      faults.cut += 1;
      return { cutAfter: 100 + reads * 1_000 };
    };
    await using proxy = await faultyProxy(faultOf);
    const workspace = await makeWorkspaceBucket();
    const through = (place: Place): Place => ({ ...place, s3: proxy.s3 });
    const deps = depsOf(through(primary), through(workspace), replica);
    const { backupId } = await backUp(deps);
    expect(await restored(deps, backupId)).toMatchObject({ verdict: 'identical' });
    for (const count of Object.values(faults)) expect(count).toBeGreaterThan(2);
    expect(await collect(listCatalogue(deps.vault))).toHaveLength(1);
  });
});
