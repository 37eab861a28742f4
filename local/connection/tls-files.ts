/**
 * Reads the certificate files of a connection, by libpq's rules for their defaults in `~/.postgresql`.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { ConnectionSettings, SslMode } from '../../core/postgres/connection.ts';

function read(path: string, parameter: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new HoldfastError(
      'ConfigurationError',
      `${parameter}: the file ${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`,
      { hint: `Name a file that this user can read, or correct ${parameter}.`, cause },
    );
  }
}

function readKey(path: string): string {
  const key = read(path, 'sslkey');
  const { mode, uid } = statSync(path);
  // As libpq: 0600, or 0640 when it belongs to root.
  const forbidden = uid === 0 ? 0o037 : 0o077;
  if (process.platform !== 'win32' && (mode & forbidden) !== 0) {
    throw new HoldfastError(
      'ConfigurationError',
      `sslkey: the private key ${path} has mode ${(mode & 0o777).toString(8)}; allowed is 600.`,
      { hint: 'chmod 600 the key file.' },
    );
  }
  return key;
}

function orDefault(given: string | undefined, home: string, name: string): string | undefined {
  const standard = join(home, '.postgresql', name);
  return given ?? (existsSync(standard) ? standard : undefined);
}

/** @throws ConfigurationError when a file cannot be read, or verify-ca has no root certificate */
export function readTlsFiles(
  parameters: ReadonlyMap<string, string>,
  sslMode: SslMode,
  home: string,
): ConnectionSettings['tls'] {
  if (sslMode === 'disable') return {};
  const certificate = orDefault(parameters.get('sslcert'), home, 'postgresql.crt');
  const key = orDefault(parameters.get('sslkey'), home, 'postgresql.key');
  const client =
    certificate === undefined
      ? {}
      : {
          cert: read(certificate, 'sslcert'),
          key:
            key === undefined
              ? read(join(home, '.postgresql', 'postgresql.key'), 'sslkey')
              : readKey(key),
        };
  const root = orDefault(parameters.get('sslrootcert'), home, 'root.crt');
  if (root === undefined || root === 'system') {
    // Any holder of any public certificate would pass.
    if (sslMode === 'verify-ca') {
      throw new HoldfastError('ConfigurationError', 'sslmode=verify-ca needs sslrootcert=FILE.', {
        hint: 'Name the root certificate of the server (for RDS: global-bundle.pem), or use verify-full.',
      });
    }
    return client;
  }
  return { ...client, ca: read(root, 'sslrootcert') };
}
