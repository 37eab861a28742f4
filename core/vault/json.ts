/** JSON documents in a workspace or vault: one way to write them, and a read that checks what it reads. */
import type { ZodType } from 'zod';
import { HoldfastError } from '../contract/errors.ts';
import type { Workspace, WriteCondition } from './vault.ts';

export const encodeJson = (value: unknown): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);

export function decodeJson<T>(schema: ZodType<T>, body: Uint8Array, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new HoldfastError('ManifestInvalidError', `${what} is not JSON.`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new HoldfastError(
      'ManifestInvalidError',
      `${what}: ${issue?.path.join('.') || 'document'}: ${issue?.message}`,
      { cause: parsed.error },
    );
  }
  return parsed.data;
}

export async function putJson(
  workspace: Workspace,
  key: string,
  value: unknown,
  condition?: WriteCondition,
): Promise<void> {
  await workspace.put(key, encodeJson(value), condition);
}

export async function getJson<T>(
  workspace: Pick<Workspace, 'get'>,
  schema: ZodType<T>,
  key: string,
): Promise<T | undefined> {
  const entry = await workspace.get(key);
  return entry === undefined ? undefined : decodeJson(schema, entry.body, key);
}

/** All documents whose keys begin so, by key. */
export async function getAllJson<T>(
  workspace: Pick<Workspace, 'get' | 'list'>,
  schema: ZodType<T>,
  prefix: string,
): Promise<T[]> {
  const keys: string[] = [];
  for await (const key of workspace.list(prefix)) keys.push(key);
  const found: T[] = [];
  for (const key of keys.sort()) {
    const value = await getJson(workspace, schema, key);
    if (value !== undefined) found.push(value);
  }
  return found;
}
