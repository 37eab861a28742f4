/** What a restore takes of disk and of time. No server tells how much disk is free: the need is said, a person compares. */
import { formatBytes, formatDuration } from '../../report/format.ts';
import { type BackupTarget, ok, type PreflightCheck } from './check.ts';
import { estimateOf } from './estimate.ts';

export const diskSpace: PreflightCheck<BackupTarget> = {
  check: 'disk-space',
  async look({ manifest, input, names }) {
    const { rawBytes } = estimateOf(manifest, input);
    const beside =
      names.previousDatabase === null ? '' : ' The database that is replaced stays beside it.';
    return ok(
      `About ${formatBytes(diskBytesOf(rawBytes))} of disk are needed for rows and indexes; ` +
        `PostgreSQL does not tell how much is free.${beside}`,
    );
  },
};

/**
 * Rows on disk take about what they take as text: headers and alignment against digits and escapes. Indexes of an
 * ordinary schema are a third of that.
 */
export const diskBytesOf = (rawBytes: number): number => Math.round(rawBytes * 1.3);

export const timeNeeded: PreflightCheck<BackupTarget> = {
  check: 'time',
  async look({ manifest, input }) {
    const { seconds, rawBytes, readBytes } = estimateOf(manifest, input);
    return ok(
      `It takes about ${formatDuration(seconds * 1000)}, by the rates of a machine with two cores: ` +
        `${formatBytes(readBytes)} are read from the vault and become ${formatBytes(rawBytes)} of rows.`,
    );
  },
};
