/** Changes one byte of one object behind the vault's back, as a failing disk does. For the demo only. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../../core/contract/manifest.ts';

export interface Damage {
  /** Key of the object. */
  readonly object: string;
  /** `schema.table` that the byte belongs to. */
  readonly table: string;
  /** Of the byte in the object. */
  readonly offset: number;
}

/** In the middle of the largest segment of the largest table: surely rows, surely one table. */
export async function damageOneByte(vaultDirectory: string, manifest: Manifest): Promise<Damage> {
  const table = manifest.tables.reduce((a, b) => (b.storedBytes > a.storedBytes ? b : a));
  const segment = table.segments.reduce((a, b) => (b.storedBytes > a.storedBytes ? b : a));
  const object = manifest.objects[segment.object];
  if (object === undefined) throw new Error(`The manifest has no object ${segment.object}.`);
  const offset = segment.offset + Math.floor(segment.storedBytes / 2);
  const file = await open(join(vaultDirectory, object.key), 'r+');
  try {
    const byte = new Uint8Array(1);
    await file.read(byte, 0, 1, offset);
    byte[0] = (byte[0] ?? 0) ^ 0x01;
    await file.write(byte, 0, 1, offset);
  } finally {
    await file.close();
  }
  return { object: object.key, table: `${table.schema}.${table.name}`, offset };
}
