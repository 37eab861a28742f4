import { createHash, randomBytes } from 'node:crypto';
import * as nodeFiles from 'node:fs/promises';
import { link, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isHoldfastError } from '../../core/contract/errors.ts';
import { openDirectoryVault } from '../../local/vault/directory-vault.ts';
import { openDirectoryWorkspace } from '../../local/vault/directory-workspace.ts';
import type { FileCalls } from '../../local/vault/files.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folder = temporaryFolders();
const bytes = (text: string) => new TextEncoder().encode(text);
const named = (name: string) => expect.objectContaining({ name });
const namesIn = async (path: string) => (await readdir(path)).filter((name) => name !== '.tmp');
const systemError = (code: string) => Object.assign(new Error(`${code}: it said so`), { code });

it('lets nobody else in: folders 0700, files 0600', async () => {
  const root = join(await folder(), 'vault');
  const vault = openDirectoryVault(root);
  await vault.put('a/b/c', bytes('x'), { tags: { a: 'b' } });
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  expect(entries.length).toBeGreaterThan(5);
  for (const entry of entries) {
    const { mode } = await stat(join(entry.parentPath, entry.name));
    expect([entry.name, (mode & 0o777).toString(8)]).toEqual([
      entry.name,
      entry.isDirectory() ? '700' : '600',
    ]);
  }
});

it('leaves no temporary file, whatever became of the write', async () => {
  const root = await folder();
  const vault = openDirectoryVault(root);
  await vault.put('k', bytes('x'));
  await vault.put('k', bytes('y')).catch(() => {});
  await (await vault.openWriter('z')).abort();
  await vault.setTags('k', {});
  const workspace = openDirectoryWorkspace(root);
  await workspace.put('w', bytes('1'));
  await workspace.put('w', bytes('1'), { ifNoneMatch: '*' }).catch(() => {});
  await workspace.put('w', bytes('1'), { ifMatch: 'no' }).catch(() => {});
  expect(await readdir(join(root, '.tmp'))).toEqual([]);
});

it('neither lists nor touches the workspace, nor its own folders', async () => {
  const root = await folder();
  const vault = openDirectoryVault(root);
  await openDirectoryWorkspace(join(root, 'workspace')).put('runs/r', bytes('x'));
  await vault.put('workspaces', bytes('x'));
  const keys: string[] = [];
  for await (const { key } of vault.list('')) keys.push(key);
  expect(keys).toEqual(['workspaces']);
  for await (const { key } of vault.list('workspace/')) expect.fail(key);
  await expect(vault.get('workspace/runs/r')).rejects.toEqual(named('InvalidObjectKeyError'));
  await expect(vault.put('workspace', bytes(''))).rejects.toEqual(named('InvalidObjectKeyError'));
});

it('follows no symbolic link out of the folder', async () => {
  const outside = await folder();
  await writeFile(join(outside, 'secret'), 'secret');
  const root = await folder();
  await symlink(outside, join(root, 'out'));
  await symlink(join(outside, 'secret'), join(root, 'leaf'));
  await symlink(join(outside, 'not-there'), join(root, 'dangling'));
  const vault = openDirectoryVault(root);
  const workspace = openDirectoryWorkspace(root);
  const refused = named('InvalidObjectKeyError');
  for (const key of ['out/secret', 'out/new/deep', 'leaf']) {
    await expect(vault.get(key)).rejects.toEqual(refused);
    await expect(vault.head(key)).rejects.toEqual(refused);
    await expect(workspace.get(key)).rejects.toEqual(refused);
  }
  for (const key of ['out/new', 'out/new/deep']) {
    await expect(vault.put(key, bytes('x'))).rejects.toEqual(refused);
    await expect(workspace.put(key, bytes('x'))).rejects.toEqual(refused);
    await expect(vault.delete(key)).rejects.toEqual(refused);
  }
  await expect(vault.put('dangling/new', bytes('x'))).rejects.toThrow();
  for await (const { key } of vault.list('')) expect.fail(key);
  await workspace.put('leaf', bytes('replaced'));
  expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret');
  expect(await readdir(outside)).toEqual(['secret']);
});

it('works through a link that leads inside, and in a root that is one', async () => {
  const root = await folder();
  await mkdir(join(root, 'real'));
  await symlink(join(root, 'real'), join(root, 'alias'));
  const linked = join(await folder(), 'vault');
  await symlink(root, linked);
  const vault = openDirectoryVault(linked);
  await vault.put('alias/k', bytes('x'));
  expect(await readFile(join(root, 'real', 'k'), 'utf8')).toBe('x');
});

it('is the same vault when it is copied with stock tools, with or without what is known of objects', async () => {
  const root = await folder();
  const vault = openDirectoryVault(root);
  const ref = await vault.put('a/k', bytes('content'), { tags: { tier: 'daily' } });
  const copy = join(await folder(), 'copy');
  await nodeFiles.cp(root, copy, { recursive: true });
  expect(await openDirectoryVault(copy).head('a/k')).toMatchObject({
    ...ref,
    tags: { tier: 'daily' },
  });
  await rm(join(copy, '.meta'), { recursive: true });
  const bare = openDirectoryVault(copy);
  expect(await bare.head('a/k')).toMatchObject({ ...ref, tags: {} });
  expect(Buffer.from(await bare.get('a/k', ref.versionId)).toString()).toBe('content');
  await bare.setLegalHold('a/k', true);
  await expect(bare.delete('a/k')).rejects.toEqual(named('ObjectLockedError'));
});

/** A disk that takes so many bytes in all, and then says what a full one says. */
function smallDisk(capacityBytes: number, code: string): FileCalls {
  let left = capacityBytes;
  const open: FileCalls['open'] = async (...args) => {
    const handle = await nodeFiles.open(...args);
    const write = handle.write.bind(handle);
    // As a real disk does: what still fits is written, the next call fails.
    const limited = async (bytes: Uint8Array, offset: number, length: number) => {
      if (left === 0) throw systemError(code);
      const fitting = Math.min(left, length);
      left -= fitting;
      return write(bytes, offset, fitting);
    };
    handle.write = limited as typeof handle.write;
    handle.writev = (async ([first = new Uint8Array()]: Uint8Array[]) =>
      limited(first, 0, first.length)) as unknown as typeof handle.writev;
    return handle;
  };
  return { ...nodeFiles, open };
}

it('writes all bytes in order although the kernel takes only a part at a time', async () => {
  const root = await folder();
  const open: FileCalls['open'] = async (...args) => {
    const handle = await nodeFiles.open(...args);
    const write = handle.write.bind(handle);
    const some = (bytes: Uint8Array, offset: number, length: number) =>
      write(bytes, offset, Math.min(length, 700_001));
    handle.write = some as typeof handle.write;
    handle.writev = (async (pieces: Uint8Array[]) => {
      const all = Buffer.concat(pieces);
      return some(all, 0, all.length);
    }) as unknown as typeof handle.writev;
    return handle;
  };
  const vault = openDirectoryVault(root, { ...nodeFiles, open });
  const writer = await vault.openWriter('k');
  const chunks = [13, 1 << 20, 16, 13, 1 << 20, 16, ...Array<number>(40).fill(100), 5000, 1];
  const content = chunks.map((length) => randomBytes(length));
  for (const chunk of content) await writer.write(chunk);
  const ref = await writer.commit();
  const whole = Buffer.concat(content);
  expect(ref.sha256).toBe(createHash('sha256').update(whole).digest('hex'));
  expect(whole.equals(await vault.get('k'))).toBe(true);
});

it.each(['ENOSPC', 'EDQUOT'])(
  'says that it is full (%s), and shows no half object',
  async (code) => {
    const root = await folder();
    const vault = openDirectoryVault(root, smallDisk(3 << 20, code));
    const writer = await vault.openWriter('data/k');
    const chunk = new Uint8Array(1 << 20);
    for (let i = 0; i < 3; i += 1) await writer.write(chunk);
    await expect(writer.write(chunk)).rejects.toEqual(named('VaultFullError'));
    await writer.abort();
    expect(await namesIn(root)).toEqual([]);
    expect(await readdir(join(root, '.tmp'))).toEqual([]);
    const workspace = openDirectoryWorkspace(root, smallDisk(2, code));
    await expect(workspace.put('k', bytes('long'))).rejects.toEqual(named('VaultFullError'));
    expect(await workspace.get('k')).toBeUndefined();
  },
);

it.each([
  ['EACCES', 'VaultAccessDeniedError'],
  ['EPERM', 'VaultAccessDeniedError'],
  ['EROFS', 'VaultAccessDeniedError'],
  ['EIO', 'VaultIoError'],
  ['ESTALE', 'VaultIoError'],
] as const)('tells %s as %s in every method, never as absence', async (code, name) => {
  const root = await folder();
  const good = openDirectoryVault(root);
  await good.put('a/k', bytes('x'));
  const fail = () => Promise.reject(systemError(code));
  const files: FileCalls = { ...nodeFiles, open: fail, readdir: fail, unlink: fail, stat: fail };
  const vault = openDirectoryVault(root, files);
  const workspace = openDirectoryWorkspace(root, files);
  const list = async (keys: AsyncIterable<unknown>) => {
    for await (const _ of keys);
  };
  const tries = [
    () => vault.get('a/k'),
    () => vault.openReader('a/k'),
    () => vault.head('a/k'),
    () => vault.put('a/new', bytes('x')),
    () => vault.setTags('a/k', {}),
    () => vault.delete('a/k'),
    () => list(vault.list('')),
    () => workspace.get('a/k'),
    () => workspace.put('a/k', bytes('x')),
    () => workspace.delete('a/k'),
    () => list(workspace.list('')),
  ];
  for (const attempt of tries) {
    const error = await attempt().then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(isHoldfastError(error, name)).toBe(true);
  }
});

it('shows no object when the write of its last step fails', async () => {
  const root = await folder();
  const files: FileCalls = { ...nodeFiles, link: () => Promise.reject(systemError('EIO')) };
  const vault = openDirectoryVault(root, files);
  await expect(vault.put('a/k', bytes('x'))).rejects.toEqual(named('VaultIoError'));
  await expect(vault.head('a/k')).rejects.toEqual(named('ObjectNotFoundError'));
  expect(await readdir(join(root, '.tmp'))).toEqual([]);
});

it('lists a folder of other hard links and special files without them', async () => {
  const root = await folder();
  const vault = openDirectoryVault(root);
  await vault.put('a', bytes('x'));
  await link(join(root, 'a'), join(root, '.hidden'));
  await mkdir(join(root, 'empty'));
  const keys: string[] = [];
  for await (const { key } of vault.list('')) keys.push(key);
  expect(keys).toEqual(['a']);
});
