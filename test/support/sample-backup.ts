/**
 * A small, whole, signed backup in a directory vault, made without a database: for tests of what reads backups.
 * One table spread over two objects, three small ones packed into another, schema texts, large objects' metadata.
 */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { constants, zstdCompressSync } from 'node:zlib';
import type { CatalogueEntry } from '../../core/contract/catalogue.ts';
import type {
  Manifest,
  Segment,
  TableEntry,
  TextSegment,
  Tier,
} from '../../core/contract/manifest.ts';
import { encodeSignature } from '../../core/evidence/signature-file.ts';
import {
  addFingerprints,
  createRowHasher,
  emptyFingerprint,
} from '../../core/fingerprint/row-hash.ts';
import type { KeyRing } from '../../core/keyring/key-ring.ts';
import { encodeJson } from '../../core/vault/json.ts';
import { vaultKeys } from '../../core/vault/keys.ts';
import { contextOf } from '../../core/verify/read-segment.ts';
import { loadKeyFile } from '../../local/keyring/key-file.ts';
import { openLocalKeyRing } from '../../local/keyring/local-key-ring.ts';
import { initVault, type OpenVault } from '../../local/vault/open-vault.ts';

export interface SampleVault extends OpenVault {
  readonly keyRing: KeyRing;
  readonly keyFile: string;
  readonly deps: {
    readonly vault: OpenVault['vault'];
    readonly vaultId: string;
    readonly keyRing: KeyRing;
    readonly now: () => Date;
    readonly progress: () => void;
  };
}

export async function sampleVault(folder: string): Promise<SampleVault> {
  await mkdir(folder, { recursive: true });
  const opened = await initVault(join(folder, 'vault'), { keyFile: join(folder, 'key.json') });
  const keyRing = openLocalKeyRing(await loadKeyFile(opened.keyFile));
  const { vault, marker } = opened;
  const deps = {
    vault,
    vaultId: marker.vaultId,
    keyRing,
    now: nextMillisecond,
    progress: () => {},
  };
  return { ...opened, keyRing, deps };
}

let last = 0;
/** Now, and never the same twice: evidence is in the order of its times. */
function nextMillisecond(): Date {
  last = Math.max(last + 1, Date.now());
  return new Date(last);
}

type Part = { name: string; text: string };

/** @returns the manifest as it was written */
export async function sampleBackup(
  sample: SampleVault,
  options: {
    source?: string;
    time?: string;
    scope?: 'full' | 'partial';
    rows?: number;
    labels?: Record<string, string>;
    tier?: Tier;
    /** Sealed: signed, staged, and not yet in the catalogue. */
    state?: 'sealed' | 'published';
  } = {},
): Promise<Manifest> {
  const source = options.source ?? 'shop';
  const startedAt = new Date(options.time ?? '2026-11-21T04:21:00Z');
  const random = createHash('sha256').update(`${source}${startedAt}`).digest('hex').slice(0, 6);
  const stamp = `${startedAt.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  const backupId = `${source}-${stamp}-${random}`;
  const objects: Manifest['objects'] = [];
  const rowsOf = (from: number, count: number) =>
    Array.from(
      { length: count },
      (_, i) => `${from + i}\trow number ${from + i} ${'x'.repeat(i % 50)}\n`,
    ).join('');

  const write = async (key: string, parts: Part[]): Promise<Segment[]> => {
    const writer = await sample.vault.openWriter(key, { tags: { 'holdfast-tier': 'staged' } });
    const encryptor = sample.keyRing.encryptObject(contextOf(sample.marker.vaultId, key), 1 << 30);
    const segments: Segment[] = [];
    let offset = 0;
    for (const { text } of parts) {
      const raw = Buffer.from(text);
      const packed = zstdCompressSync(raw, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
      const message = await buffer(Readable.from([packed]).pipe(encryptor.openSegment()));
      await writer.write(message);
      const hasher = createRowHasher('text');
      hasher.update(raw);
      segments.push({
        object: objects.length,
        offset,
        storedBytes: message.length,
        sha256: createHash('sha256').update(message).digest('hex'),
        rawBytes: raw.length,
        compressedBytes: packed.length,
        ...hasher.finish(),
        format: 'text',
      });
      offset += message.length;
    }
    const { versionId, storedBytes, sha256 } = await writer.commit();
    objects.push({ key, versionId, storedBytes, sha256 });
    return segments;
  };
  const data = (unit: number) => vaultKeys.data(source, backupId, unit, 0, 'abcdef');
  const asText = ({ rows: _, fingerprint: __, format: ___, ...segment }: Segment): TextSegment =>
    segment;

  const schema: Manifest['schema'] = [];
  for (const name of ['globals', 'pre-data', 'post-data'] as const) {
    const key = vaultKeys.schema(source, backupId, name, 'abcdef');
    const [segment] = await write(key, [{ name, text: `-- ${name}\nSELECT 1;\n` }]);
    schema.push({ name, segment: asText(segment as Segment) });
  }
  const count = options.rows ?? 3000;
  const orders = [
    ...(await write(data(0), [{ name: 'orders', text: rowsOf(0, count) }])),
    ...(await write(data(1), [{ name: 'orders', text: rowsOf(count, count) }])),
  ];
  const small = ['clients', 'empty', 'goods'];
  const packed = await write(
    data(2),
    small.map((name, i) => ({ name, text: name === 'empty' ? '' : rowsOf(i * 10, 20 + i) })),
  );
  const metadata = await write(data(3), [{ name: 'large objects', text: '16384\tme\t\\N\t\\N\n' }]);
  const tables = [
    table('orders', orders),
    ...small.map((name, i) => table(name, [packed[i] as Segment])),
  ];
  const all = [...orders, ...packed, ...metadata];
  const sum = (of: 'rows' | 'rawBytes' | 'compressedBytes') => all.reduce((n, s) => n + s[of], 0);
  const manifest: Manifest = {
    formatVersion: 1,
    backupId,
    vaultId: sample.marker.vaultId,
    runId: `run-${random}`,
    tier: options.tier ?? 'manual',
    labels: options.labels ?? {},
    source: {
      kind: 'postgres',
      name: source,
      host: 'localhost',
      port: 5432,
      serverVersion: '18.0',
      serverVersionNum: 180000,
    },
    scope: options.scope ?? 'full',
    filters: {
      schemas: [],
      excludeSchemas: [],
      tables: [],
      excludeTables: [],
      excludeTableData: [],
      sections: 'all',
    },
    snapshot: { instant: startedAt.toISOString(), lsn: null, name: '00000003-1' },
    startedAt: startedAt.toISOString(),
    sealedAt: startedAt.toISOString(),
    createdBy: { user: 'me', host: 'here' },
    encryption: {
      suite: sample.keyRing.suite,
      wrapping: sample.keyRing.wrapping,
      keyId: sample.keyRing.encryptionKeyId,
    },
    signingKeyId: sample.keyRing.signingKeyId,
    compression: { algorithm: 'zstd', level: 1 },
    fingerprintAlgorithm: 'xxh64x2-sum128',
    inventory: {
      database: {
        name: source,
        owner: 'me',
        encoding: 'UTF8',
        localeProvider: 'libc',
        collate: 'C',
        ctype: 'C',
        locale: null,
        icuRules: null,
        collationVersion: null,
        connectionLimit: -1,
        tablespace: 'pg_default',
        isTemplate: false,
        acl: null,
        comment: null,
        securityLabels: [],
        settings: [],
      },
      extensions: [],
      collations: [],
      roles: [],
      sequences: [],
      census: { tables: tables.length },
    },
    schema,
    tables,
    largeObjects: {
      count: 1,
      data: { rows: 0, fingerprint: emptyFingerprint, segments: [] },
      metadata: { rows: 1, fingerprint: metadata[0]?.fingerprint ?? '', segments: metadata },
    },
    objects,
    totals: {
      tables: tables.length,
      rows: sum('rows'),
      rawBytes: sum('rawBytes'),
      compressedBytes: sum('compressedBytes'),
      storedBytes: objects.reduce((n, object) => n + object.storedBytes, 0),
      segments: all.length,
      objects: objects.length,
    },
    plan: { units: 4, chunkBytes: 64 << 20 },
    phases: {},
    warnings: [],
    tools: { holdfast: '0.0.0', node: process.version, pgDump: '18.3' },
  };
  await seal(sample, manifest);
  if (options.state !== 'sealed') await enter(sample, manifest);
  return manifest;
}

function table(name: string, segments: Segment[]): TableEntry {
  const sum = (of: 'rows' | 'rawBytes' | 'storedBytes') => segments.reduce((n, s) => n + s[of], 0);
  return {
    oid: 16384,
    schema: 'shop',
    name,
    owner: 'me',
    kind: 'table',
    persistence: 'permanent',
    columns: ['id', 'note'],
    format: 'text',
    rows: sum('rows'),
    fingerprint: segments.reduce((f, s) => addFingerprints(f, s.fingerprint), emptyFingerprint),
    rawBytes: sum('rawBytes'),
    storedBytes: sum('storedBytes'),
    segments,
  };
}

async function seal(sample: SampleVault, manifest: Manifest): Promise<void> {
  const { backupId, source } = manifest;
  const body = encodeJson(manifest);
  const signature = encodeSignature(await sample.keyRing.sign(body));
  const staged = { tags: { 'holdfast-tier': 'staged' } };
  await sample.vault.put(vaultKeys.signature(source.name, backupId), signature, staged);
  await sample.vault.put(vaultKeys.manifest(source.name, backupId), body, staged);
}

async function enter(sample: SampleVault, manifest: Manifest): Promise<void> {
  const { backupId, source, totals } = manifest;
  const entry: CatalogueEntry = {
    formatVersion: 1,
    backupId,
    source: source.name,
    database: source.name,
    state: 'published',
    scope: manifest.scope,
    tier: manifest.tier,
    labels: manifest.labels,
    serverVersion: source.serverVersion,
    startedAt: manifest.startedAt,
    snapshotAt: manifest.snapshot.instant,
    finishedAt: manifest.sealedAt,
    tables: totals.tables,
    rows: totals.rows,
    rawBytes: totals.rawBytes,
    storedBytes: totals.storedBytes,
    warnings: 0,
  };
  const key = vaultKeys.catalogue(source.name, new Date(manifest.snapshot.instant), backupId);
  await sample.vault.put(key, encodeJson(entry));
}
