/** A run as HoldSnapshot and PlanUnits leave it (with a plain session as holder), and reading back what a unit wrote. */
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deps, Progress } from '../../core/contract/deps.ts';
import {
  backupInputSchema,
  type Receipt,
  receiptSchema,
  runSchema,
  type Slice,
  type SnapshotRecord,
} from '../../core/contract/plan.ts';
import { dumpUnit } from '../../core/dump/dump-unit.ts';
import { createRowHasher } from '../../core/fingerprint/row-hash.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';
import { getJson, putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import type { Vault } from '../../core/vault/vault.ts';
import { openSegment } from '../../core/verify/read-segment.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { type SampleVault, sampleVault } from '../support/sample-backup.ts';

export interface DumpRun extends AsyncDisposable {
  readonly runId: string;
  readonly deps: Deps;
  readonly sample: SampleVault;
  readonly messages: Progress[];
  /** Ends the session that exported the snapshot. */
  dropSnapshot(): Promise<void>;
  plan(unit: number, slices: Slice[]): Promise<void>;
  dump(unit: number, part?: number): ReturnType<typeof dumpUnit>;
  receipt(unit: number, part?: number): Promise<Receipt>;
  /** The plain text of all segments of a receipt, each checked against its facts. */
  read(unit: number, part?: number): Promise<Buffer[]>;
}

export async function dumpRun(
  database: TestDatabase,
  folder: string,
  options: object = {},
  /** Of the vault, when it shall be slow. */
  bytesPerSecond?: number,
): Promise<DumpRun> {
  const sample = await sampleVault(folder);
  const { settings } = database;
  const runId = `run-${randomBytes(4).toString('hex')}`;
  const messages: Progress[] = [];
  const deps: Deps = {
    ...sample.deps,
    vault:
      bytesPerSecond === undefined
        ? sample.vault
        : beforeWrites(sample.vault, ({ length }) => sleep((length / bytesPerSecond) * 1_000)),
    workspace: sample.workspace,
    connectionOf: async () => settings,
    progress: (event) => void messages.push(event),
    toolVersions: { holdfast: '0', node: process.version },
  };
  const run = runSchema.parse({
    runId,
    backupId: `shop-20261121T042100Z-${runId}`,
    vaultId: sample.marker.vaultId,
    startedAt: new Date().toISOString(),
    input: backupInputSchema.parse({
      source: 'shop',
      requestedBy: { user: 'test', host: 'test' },
      options,
    }),
    server: {
      host: settings.host,
      port: settings.port,
      database: settings.database,
      version: '18',
      versionNum: 180000,
    },
    warnings: [],
    fence: 1,
  });
  await putJson(deps.workspace, workspaceKeys.run(runId), run);
  const holder = await openSession(settings, {
    applicationName: `holder-of-${runId}`,
    purpose: 'holder',
  });
  await putJson(deps.workspace, workspaceKeys.snapshot(runId), await exported(holder));
  const receipt = async (unit: number, part = 0): Promise<Receipt> => {
    const key = workspaceKeys.receipt(runId, unit, part);
    const found = await getJson(deps.workspace, receiptSchema, key);
    if (found === undefined) throw new Error(`no ${key}`);
    return found;
  };
  return {
    runId,
    deps,
    sample,
    messages,
    dropSnapshot: () => holder.close(),
    plan: (unit, slices) =>
      putJson(deps.workspace, workspaceKeys.unit(runId, unit, 0), { unit, part: 0, slices }),
    dump: (unit, part = 0) => dumpUnit(deps, { runId, unit, part }),
    receipt,
    async read(unit, part = 0) {
      const { object, segments } = await receipt(unit, part);
      const texts: Buffer[] = [];
      for (const { segment } of segments) {
        const stream = await openSegment(deps, object, segment);
        const plain = await buffer(stream.plain);
        const hasher = createRowHasher(segment.format);
        hasher.update(plain);
        const { rows, fingerprint, rawBytes, compressedBytes } = segment;
        const found = {
          ...hasher.finish(),
          rawBytes: plain.length,
          compressedBytes: stream.compressedBytes(),
        };
        if (
          JSON.stringify(found) !== JSON.stringify({ rows, fingerprint, rawBytes, compressedBytes })
        ) {
          throw new Error(`segment ${JSON.stringify(segment)} holds ${JSON.stringify(found)}`);
        }
        texts.push(plain);
      }
      return texts;
    },
    [Symbol.asyncDispose]: () => holder.close(),
  };
}

/** @param act is waited for before a chunk is written */
export function beforeWrites(vault: Vault, act: (chunk: Uint8Array) => Promise<unknown>): Vault {
  const openWriter: Vault['openWriter'] = async (key, options) => {
    const writer = await vault.openWriter(key, options);
    return {
      async write(chunk) {
        await act(chunk);
        await writer.write(chunk);
      },
      sha256SoFar: () => writer.sha256SoFar(),
      commit: () => writer.commit(),
      abort: () => writer.abort(),
    };
  };
  // The adapter has private fields: its methods must be called on itself.
  return new Proxy(vault, {
    get: (target, name) => {
      if (name === 'openWriter') return openWriter;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function exported(holder: Session): Promise<SnapshotRecord> {
  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const [row] = await holder.query<{ name: string; visibility: string }>(
    'SELECT pg_export_snapshot() AS name, pg_current_snapshot()::text AS visibility',
  );
  const { name, visibility } = row as { name: string; visibility: string };
  return {
    name,
    visibility,
    instant: new Date().toISOString(),
    lsn: null,
    attempt: 1,
    advisoryKey: '4711',
    tables: 1,
    rowSecurityOnFor: [],
    holders: [{ pid: holder.backendPid, applicationName: 'holder', snapshot: name }],
  };
}

/** The slice of a whole table, as PlanUnits makes it. */
export async function sliceOf(
  database: TestDatabase,
  name: string,
  blocks?: { from: number; to: number | null },
  schema = 'public',
): Promise<Extract<Slice, { of: 'table' }>> {
  const [row] = await database.query<{ oid: number; columns: string[] }>(
    `SELECT c.oid, array_agg(a.attname::text ORDER BY a.attnum) AS columns
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.oid = $1::regclass GROUP BY c.oid`,
    [`${schema}.${name}`],
  );
  const { oid, columns } = row as { oid: number; columns: string[] };
  const base = {
    of: 'table',
    oid,
    schema,
    name,
    columns,
    format: 'text',
    estimatedBytes: 8192,
  } as const;
  return blocks === undefined ? base : { ...base, blocks };
}
