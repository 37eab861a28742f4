/** How to reach a database: the resolved form of URL, PG* variables and .pgpass. Held in memory only, never printed. */
import type { ConnectionOptions } from 'node:tls';
import type { ErrorName } from '../contract/errors.ts';

export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

export interface ConnectionSettings {
  /** Host name, address, or folder of a Unix socket (begins with `/`). */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Asked for at each connection: tokens expire. `undefined`: none. */
  readonly password: () => Promise<string | undefined>;
  readonly sslMode: SslMode;
  /** ca, cert, key as PEM; servername and checks follow from `sslMode`. */
  readonly tls: Pick<ConnectionOptions, 'ca' | 'cert' | 'key'>;
  readonly connectTimeoutMs: number;
  /** What to do when connecting fails so, where these settings come from; else as the catalogue says. Never a secret. */
  readonly hints?: Partial<Record<ErrorName, string>>;
}
