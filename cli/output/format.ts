/** Numbers and names read the same on a terminal and on the page of a report. */
export {
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  formatTime,
  plural,
  printable,
} from '../../core/report/format.ts';
