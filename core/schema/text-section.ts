/**
 * Writes SQL text into the vault: one section of the schema is one object with one segment.
 *
 * Invariant: `schema.json` names a section only when its object is whole in the vault, and never two of one name.
 */
import { createHash, randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { Manifest, TextSegment } from '../contract/manifest.ts';
import { type Run, type SchemaReceipt, schemaReceiptSchema } from '../contract/plan.ts';
import { getJson, putJson } from '../vault/json.ts';
import { vaultKeys, workspaceKeys } from '../vault/keys.ts';
import type { ObjectRef } from '../vault/vault.ts';

export type SectionName = Manifest['schema'][number]['name'];
type TextDeps = Pick<Deps, 'vault' | 'vaultId' | 'keyRing' | 'workspace'>;

export interface WrittenSection {
  readonly name: SectionName;
  readonly object: ObjectRef;
  readonly segment: Omit<TextSegment, 'object'>;
}

/** Text goes through the streams in pieces of this size, so that a large schema is not encrypted as one frame. */
const pieceBytes = 1 << 20;

/**
 * Writes one object; `schema.json` does not know it yet.
 *
 * @throws VaultFullError, VaultAccessDeniedError, VaultIoError
 */
export async function writeTextObject(
  deps: TextDeps,
  run: Run,
  name: SectionName,
  sql: string,
): Promise<WrittenSection> {
  const { source } = run.input;
  const random = randomBytes(5).toString('hex');
  const key = vaultKeys.schema(source, run.backupId, name, random);
  const text = Buffer.from(sql, 'utf8');
  const encryptor = deps.keyRing.encryptObject(
    { vault: deps.vaultId, source, backup: run.backupId, object: key },
    maxCompressedBytes(text.length),
  );
  const writer = await deps.vault.openWriter(key, { tags: { 'holdfast-tier': 'staged' } });
  const hash = createHash('sha256');
  let compressedBytes = 0;
  let storedBytes = 0;
  try {
    await pipeline(
      pieces(text),
      createZstdCompress({
        chunkSize: pieceBytes,
        params: { [constants.ZSTD_c_compressionLevel]: 1 },
      }),
      async function* count(chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          compressedBytes += chunk.length;
          yield chunk;
        }
      },
      encryptor.openSegment(),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          storedBytes += chunk.length;
          hash.update(chunk);
          await writer.write(chunk);
        }
      },
    );
    const object = await writer.commit();
    const sha256 = hash.digest('hex');
    return {
      name,
      object,
      segment: { offset: 0, storedBytes, sha256, rawBytes: text.length, compressedBytes },
    };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

function* pieces(text: Buffer): Generator<Buffer> {
  for (let at = 0; at < text.length; at += pieceBytes) yield text.subarray(at, at + pieceBytes);
}

/** ZSTD_compressBound (at most 1/128 more) and room for the frame's head. */
const maxCompressedBytes = (rawBytes: number) => rawBytes + Math.ceil(rawBytes / 128) + 1_024;

/** As they are run for a restore; the rows come before `sequences`. */
const order: readonly SectionName[] = ['globals', 'pre-data', 'sequences', 'post-data'];

/** Adds sections to a receipt, in the order of their use; their objects get the next indices. */
export function withSections(
  receipt: SchemaReceipt,
  written: readonly WrittenSection[],
): SchemaReceipt {
  const objects = [...receipt.objects];
  const sections = [...receipt.sections];
  for (const { name, object, segment } of written) {
    const { key, versionId, storedBytes, sha256 } = object;
    sections.push({ name, segment: { object: objects.length, ...segment } });
    objects.push({ key, versionId, storedBytes, sha256 });
  }
  sections.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  return { ...receipt, objects, sections };
}

/**
 * Writes a section and adds it to the run's `schema.json`. Does nothing when it is there already (a retry).
 * One caller at a time: the states that write sections follow one another.
 *
 * @throws IncompleteBackupError when DumpSchema has not left its `schema.json` yet
 */
export async function writeTextSection(
  deps: TextDeps,
  run: Run,
  name: SectionName,
  sql: string,
): Promise<void> {
  const key = workspaceKeys.schema(run.runId);
  const receipt = await getJson(deps.workspace, schemaReceiptSchema, key);
  if (receipt === undefined) {
    throw new HoldfastError(
      'IncompleteBackupError',
      `The run has no ${key}: DumpSchema did not end.`,
    );
  }
  if (receipt.sections.some((section) => section.name === name)) return;
  const written = await writeTextObject(deps, run, name, sql);
  await putJson(deps.workspace, key, withSections(receipt, [written]));
}
