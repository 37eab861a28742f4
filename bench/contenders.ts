/** What people do today, as shell commands; wall time and CPU time of the client side (user and system). */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import type { EmbeddedServer } from '../local/embedded-server.ts';

export interface Measured {
  readonly wallSeconds: number;
  /** Of all processes but the server's. */
  readonly cpuSeconds: number;
}

export interface Contender {
  readonly name: string;
  /** In a shell with $OUT, an empty folder, and $PG_DUMP. */
  readonly command: string;
}

const cipher = `openssl enc -aes-256-ctr -K ${'0'.repeat(63)}1 -iv ${'0'.repeat(32)}`;

/** zstd 1 where pg_dump knows it (16 and later, when built with it), as our own dump; gzip, its default, elsewhere. */
export function contenders(hasZstd: boolean): readonly Contender[] {
  const directory = `"$PG_DUMP" -Fd -j2 ${hasZstd ? '--compress=zstd:1 ' : ''}-f "$OUT/dump"`;
  const label = `pg_dump -Fd -j2${hasZstd ? ' (zstd 1)' : ' (gzip)'}`;
  return [
    { name: label, command: directory },
    {
      name: `${label} + openssl + sha256sum`,
      command: `${directory} && find "$OUT/dump" -type f | xargs -P2 -I{} sh -c '${cipher} -in {} -out {}.enc && sha256sum {}.enc > {}.sum'`,
    },
    {
      name: 'pg_dump -Fp | zstd -1 | openssl enc',
      command: `"$PG_DUMP" -Fp | zstd -q -1 | ${cipher} > "$OUT/dump.enc"`,
    },
  ];
}

/** Does this pg_dump write zstd? It says so before it connects. */
export function knowsZstd(pgDump: string): boolean {
  const { stderr } = spawnSync(
    pgDump,
    ['-Fd', '--compress=zstd:1', '-f', '/nonexistent/x', '-h', '/nonexistent'],
    {
      encoding: 'utf8',
    },
  );
  return !/not supported by this build|invalid|unrecognized|must be in range|cannot specify|compress/i.test(
    stderr,
  );
}

export function measure(
  contender: Contender,
  pgDump: string,
  server: EmbeddedServer,
  database: string,
  folder: string,
): Measured {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // bash's own `time` counts every process that the command waited for.
  const script = `set -o pipefail; TIMEFORMAT='%R %U %S'; time { ${contender.command}; }`;
  const { status, stderr } = spawnSync('bash', ['-c', script], {
    encoding: 'utf8',
    env: {
      ...process.env,
      LC_ALL: 'C',
      OUT: folder,
      PG_DUMP: pgDump,
      PGHOST: '127.0.0.1',
      PGPORT: String(server.port),
      PGUSER: server.user,
      PGPASSWORD: server.password,
      PGDATABASE: database,
    },
  });
  const times = /([\d.]+) ([\d.]+) ([\d.]+)\s*$/.exec(stderr);
  if (status !== 0 || times === null) throw new Error(`${contender.name} failed:\n${stderr}`);
  rmSync(folder, { recursive: true, force: true });
  return { wallSeconds: Number(times[1]), cpuSeconds: Number(times[2]) + Number(times[3]) };
}
