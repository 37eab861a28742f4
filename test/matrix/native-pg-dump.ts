/** The pg_dump of this machine, as a judge that is not ours. */
import { execFileSync, spawnSync } from 'node:child_process';

const program = 'pg_dump';

/** Major version of the pg_dump on PATH; `undefined` when there is none. */
export function nativePgDumpMajor(): number | undefined {
  const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  const major = /\(PostgreSQL\) (\d+)/.exec(stdout ?? '')?.[1];
  return status === 0 && major !== undefined ? Number(major) : undefined;
}

/** What a CI machine has for certain. Newer servers need a newer one, which not every distribution has as a package. */
const majorOfCi = 15;

/** Ends a test that needs a pg_dump for servers of this major: as skipped, but as failed when a CI machine lacks its own. */
export function needNativePgDump(major: number, skip: (why: string) => never): void {
  const native = nativePgDumpMajor() ?? 0;
  if (process.env.CI !== undefined && major <= majorOfCi && native < majorOfCi) {
    throw new Error(
      `CI needs a pg_dump ${majorOfCi} or newer on PATH; it has ${native || 'none'}.`,
    );
  }
  if (native < major) skip(`no pg_dump ${major} on PATH`);
}

/** Without the two lines that hold a random key. */
export function nativeDump(url: string, ...options: string[]): string {
  const text = execFileSync(program, ['--dbname', url, ...options], {
    encoding: 'utf8',
    maxBuffer: 256 << 20,
  });
  return text.replace(/^\\(un)?restrict [A-Za-z0-9]{32,}\n/gm, '');
}

/** Everything, rows and large objects too, line by line and sorted: COPY gives rows as they lie, which a restore changes. */
export const nativeLines = (url: string): string[] => nativeDump(url).split('\n').sort();
