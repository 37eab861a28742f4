/**
 * Names of our sessions in pg_stat_activity: `holdfast/<run>/<what>`, by which they are found, counted and ended.
 *
 * Invariants: no name is longer than 63 bytes (the server would cut it, and two names could become one), and the part
 * before `what` depends on the run alone, so that all sessions of a run share one prefix and no other run has it.
 */
import { createHash } from 'node:crypto';
import { HoldfastError } from '../contract/errors.ts';

/** NAMEDATALEN - 1. */
const maxNameBytes = 63;
/** `unit-10000` is 10, `holder-1000` 11. */
const maxWhatBytes = 20;
const maxRunBytes = maxNameBytes - 'holdfast/'.length - '/'.length - maxWhatBytes;

/** The beginning of every session name of this run, with the last slash. */
export function applicationNamePrefixOf(runId: string): string {
  // Anything else could be cut, be replaced by `?` (older servers and non-ASCII) or hold a slash.
  const isPlain = /^[A-Za-z0-9._-]+$/.test(runId) && runId.length <= maxRunBytes;
  const run = isPlain
    ? runId
    : `~${createHash('sha256')
        .update(runId)
        .digest('hex')
        .slice(0, maxRunBytes - 1)}`;
  return `holdfast/${run}/`;
}

/**
 * @param what `unit-7`, `schema`, `plan`, `watch`, `holder-1`: plain ASCII, at most 20 bytes
 * @throws InternalError when `what` is longer
 */
export function applicationNameOf(runId: string, what: string): string {
  if (Buffer.byteLength(what) > maxWhatBytes) {
    throw new HoldfastError(
      'InternalError',
      `A session name ends in ${JSON.stringify(what)}; at most ${maxWhatBytes} bytes are allowed.`,
    );
  }
  return applicationNamePrefixOf(runId) + what;
}
