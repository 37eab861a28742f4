/**
 * The parts of a restore on a line of time. Places are percentages and letters have their own size, so that the picture
 * is as wide as the page, from a phone to paper, and can be read on each.
 */
import type { RestoreReport } from '../../contract/restore.ts';
import { formatDuration } from '../format.ts';
import { html, type Markup } from './markup.ts';
import { partTitle } from './parts.ts';

const rowHeight = 38;
const axisHeight = 24;
/** A part of a moment is still seen. */
const leastPercent = 0.6;

export function timelinePicture(report: RestoreReport): Markup | null {
  const { timeline, startedAt, finishedAt } = report;
  if (timeline.length === 0) return null;
  const from = Math.min(Date.parse(startedAt), ...timeline.map((span) => Date.parse(span.from)));
  const to = Math.max(Date.parse(finishedAt), ...timeline.map((span) => Date.parse(span.to)));
  const whole = Math.max(1, to - from);
  const percent = (time: number) => round(((time - from) / whole) * 100);
  const height = timeline.length * rowHeight + axisHeight;
  const rows = timeline.map((span, index) => {
    const y = index * rowHeight;
    const begin = Math.min(percent(Date.parse(span.from)), 100 - leastPercent);
    const width = Math.max(leastPercent, round(percent(Date.parse(span.to)) - begin));
    return html`<text x="0" y="${y + 13}">${partTitle(span.part)}</text>
<text x="100%" y="${y + 13}" text-anchor="end" class="soft">${formatDuration(Date.parse(span.to) - Date.parse(span.from))}</text>
<rect class="track" x="0" y="${y + 19}" width="100%" height="10" rx="5"/>
<rect class="bar" x="${begin}%" y="${y + 19}" width="${width}%" height="10" rx="3"/>`;
  });
  const words = timeline.map(
    ({ part, from: began, to: ended }) =>
      `${partTitle(part)} ${formatDuration(Date.parse(ended) - Date.parse(began))}`,
  );
  return html`<svg class="timeline" width="100%" height="${height}" role="img" aria-label="Timeline: ${words.join(', ')}">
${rows}
<text class="soft" x="0" y="${height - 6}">0</text>
<text class="soft" x="50%" y="${height - 6}" text-anchor="middle">${formatDuration(whole / 2)}</text>
<text class="soft" x="100%" y="${height - 6}" text-anchor="end">${formatDuration(whole)}</text>
</svg>`;
}

const round = (percent: number): number => Math.round(percent * 100) / 100;
