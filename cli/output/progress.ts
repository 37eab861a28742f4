/**
 * Shows progress on stderr: one live line on a terminal, plain lines elsewhere (at each phase and every few seconds).
 */
import type { Progress } from '../../core/contract/deps.ts';
import { maskSecrets } from '../../core/mask-secrets.ts';
import { formatBytes, formatDuration, formatRate, printable } from './format.ts';
import { ProgressMeter, type Reading, tellsDetails } from './meter.ts';

export interface ProgressView {
  readonly onProgress: (event: Progress) => void;
  /** A line of its own, above the live one. */
  readonly note: (text: string) => void;
  /** Takes the live line away. Safe to call again. */
  end(): void;
}

const liveEveryMs = 100;
const plainEveryMs = 5_000;
const barWidth = 20;

export function openProgress(
  output: NodeJS.WriteStream = process.stderr,
  now: () => number = () => performance.now(),
): ProgressView {
  const meter = new ProgressMeter();
  const isLive = output.isTTY === true && process.env.TERM !== 'dumb';
  const clear = () => (isLive ? output.write('\r\u001b[K') : true);
  const show = () => {
    const reading = meter.read(now());
    if (reading === undefined) return;
    if (!isLive) output.write(`${maskSecrets(plainLine(reading))}\n`);
    else output.write(`\r\u001b[K${cutToWidth(maskSecrets(liveLine(reading)), output.columns)}`);
  };
  const timer = setInterval(show, isLive ? liveEveryMs : plainEveryMs);
  timer.unref();
  const note = (text: string) => {
    clear();
    output.write(`${maskSecrets(printable(text))}\n`);
  };
  return {
    note,
    onProgress(event) {
      if (meter.add(event, now())) {
        show();
        timer.refresh();
      }
      if (event.message !== undefined && !tellsDetails.has(event.state)) note(event.message);
    },
    end() {
      clearInterval(timer);
      clear();
    },
  };
}

function liveLine(reading: Reading): string {
  const filled = Math.round((reading.fraction ?? 0) * barWidth);
  const bar =
    reading.fraction === undefined ? '' : `[${'#'.repeat(filled).padEnd(barWidth, '.')}] `;
  return `${bar}${plainLine(reading)}`;
}

function plainLine(reading: Reading): string {
  const { phase, fraction, doneBytes, bytesPerSecond, leftMs, detail } = reading;
  const parts = [phase];
  if (fraction !== undefined) parts.push(`${Math.floor(fraction * 100)} %`);
  if (doneBytes > 0) parts.push(formatBytes(doneBytes));
  if (bytesPerSecond !== undefined) parts.push(formatRate(bytesPerSecond));
  if (leftMs !== undefined) parts.push(`${formatDuration(leftMs)} left`);
  if (detail !== undefined) parts.push(printable(detail));
  return parts.join('  ');
}

/** A line that wraps could not be taken back with one carriage return. */
function cutToWidth(line: string, columns: number | undefined): string {
  const characters = [...line];
  // A pseudo-terminal without a size says 0.
  const width = columns || 80;
  return characters.length < width ? line : `${characters.slice(0, width - 2).join('')}…`;
}
