/** Which servers are supported: those on which the matrix tests run. */
import { HoldfastError } from '../contract/errors.ts';
import type { Session } from './session.ts';

export const oldestMajor = 14;
export const newestMajor = 18;

/** @param versionNum as `server_version_num`: 180004 is 18 */
export function majorOf(versionNum: number): number {
  return Math.floor(versionNum / 10_000);
}

export function isSupported(versionNum: number): boolean {
  const major = majorOf(versionNum);
  return major >= oldestMajor && major <= newestMajor;
}

/** @throws UnsupportedServerVersionError */
export function requireSupportedVersion(versionNum: number): void {
  if (isSupported(versionNum)) return;
  const major = majorOf(versionNum);
  throw new HoldfastError(
    'UnsupportedServerVersionError',
    `The server is PostgreSQL ${major}; supported are ${oldestMajor} to ${newestMajor}.`,
    {
      hint:
        major > newestMajor
          ? 'Upgrade Holdfast: an older pg_dump does not know what a newer server can hold.'
          : `Upgrade the server: PostgreSQL ${major} gets no more fixes of its own either.`,
      evidence: { versionNum },
    },
  );
}

/** @returns the version as people write it, `18.4` @throws UnsupportedServerVersionError */
export function requireSupportedServer(session: Session): string {
  requireSupportedVersion(session.serverVersionNum);
  return `${majorOf(session.serverVersionNum)}.${session.serverVersionNum % 10_000}`;
}
