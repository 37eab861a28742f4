/** A server of pg_dump's own major: pg_dump may be older than the server that npm brings, and then refuses it. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EmbeddedServer, startEmbeddedServer } from '../local/embedded-server.ts';

export interface PgDumpVersion {
  /** As it tells it. */
  readonly text: string;
  readonly major: number;
}

export function versionOf(pgDump: string): PgDumpVersion {
  const text = (spawnSync(pgDump, ['--version'], { encoding: 'utf8' }).stdout ?? '').trim();
  const major = Number(/(\d+)\./.exec(text)?.[1] ?? Number.NaN);
  if (Number.isNaN(major) || major < 14) throw new Error(`No usable pg_dump at ${pgDump}: ${text}`);
  return { text, major };
}

export async function startServerFor(
  { major, text }: PgDumpVersion,
  settings: readonly string[],
): Promise<EmbeddedServer> {
  if (major >= 18) return startEmbeddedServer({ settings });
  const binaries = join(import.meta.dirname, '../.matrix/node_modules', `pg${major}`, 'native');
  if (!existsSync(binaries)) {
    throw new Error(`PostgreSQL ${major} for ${text} is not here: run \`npm run matrix:install\`.`);
  }
  return startEmbeddedServer({ binaries, settings });
}

/** Ticks of /proc/<pid>/stat: USER_HZ is 100 on every Linux. */
const ticksPerSecond = 100;

/** User and system time of the processes; of a server: of all its processes that have ended. */
export function cpuSeconds(pids: readonly number[], of: 'own' | 'ended children' = 'own'): number {
  return pids.reduce((sum, pid) => {
    // The name, in brackets, may hold blanks; user and system time are the 12th and 13th field behind it, those of
    // children that were waited for the next two.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const first = of === 'own' ? 11 : 13;
    return sum + (Number(fields[first]) + Number(fields[first + 1])) / ticksPerSecond;
  }, 0);
}
