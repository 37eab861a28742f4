/**
 * Certificates of a connection as files, for the commands of a user: libpq takes no PEM texts.
 *
 * Invariants: the folder is its owner's alone and stays for the time of one command; the files are not in the vault.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';

export type CommandTls = Pick<ConnectionSettings, 'tls' | 'sslMode'>;

interface TlsFiles extends AsyncDisposable {
  /** PGSSLROOTCERT, PGSSLCERT, PGSSLKEY; and DATABASE_URL with the same, for programs that read nothing else. */
  readonly environment: Readonly<Record<string, string>>;
}

const variables = { ca: 'PGSSLROOTCERT', cert: 'PGSSLCERT', key: 'PGSSLKEY' } as const;
const parameters = { ca: 'sslrootcert', cert: 'sslcert', key: 'sslkey' } as const;

/** @param url the command's DATABASE_URL */
export async function tlsFiles(
  { tls, sslMode }: CommandTls,
  url: string | undefined,
): Promise<TlsFiles> {
  const texts = Object.entries(tls).flatMap(([name, value]) => {
    const text = textOf(value);
    return sslMode === 'disable' || text === undefined
      ? []
      : [{ name: name as keyof typeof tls, text }];
  });
  // mkdtemp makes it with mode 0700.
  const folder = texts.length === 0 ? undefined : await mkdtemp(join(tmpdir(), 'holdfast-tls-'));
  const remove = async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  };
  const environment: Record<string, string> = {};
  const query = new URLSearchParams();
  const add = (name: keyof typeof tls, value: string) => {
    environment[variables[name]] = value;
    query.set(parameters[name], value);
  };
  try {
    for (const { name, text } of texts) {
      const path = join(folder ?? '', `${name}.pem`);
      await writeFile(path, text, { mode: 0o600, flag: 'wx' });
      add(name, path);
    }
  } catch (error) {
    await remove();
    throw error;
  }
  // Without a file of its own Node trusts what the system trusts; libpq has to be told.
  if (sslMode === 'verify-full' && environment.PGSSLROOTCERT === undefined) add('ca', 'system');
  if (url !== undefined && query.size > 0) {
    environment.DATABASE_URL = `${url}${url.includes('?') ? '&' : '?'}${query}`;
  }
  return { environment, [Symbol.asyncDispose]: remove };
}

function textOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const all: unknown[] = Array.isArray(value) ? value : [value];
  const texts = all.map((one) =>
    typeof one === 'string' || Buffer.isBuffer(one) ? one.toString() : '',
  );
  return texts.join('\n');
}
