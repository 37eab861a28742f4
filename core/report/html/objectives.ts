/** What was measured against what was promised: recovery time and age of the snapshot. */
import type { RestoreReport } from '../../contract/restore.ts';
import { formatDuration } from '../format.ts';
import { html, type Markup } from './markup.ts';

interface Objective {
  readonly title: string;
  readonly measuredMs: number | null;
  readonly targetSeconds: number | undefined;
  readonly means: string;
}

export type ObjectiveResult = 'met' | 'missed' | 'no target';

/** A restore that did not succeed has no recovery time, and so misses its target. */
export const resultOf = (
  measuredMs: number | null,
  targetSeconds: number | undefined,
): ObjectiveResult => {
  if (targetSeconds === undefined) return 'no target';
  return measuredMs !== null && measuredMs <= targetSeconds * 1000 ? 'met' : 'missed';
};

export function objectives(report: RestoreReport): Markup {
  const { objectives: targets } = report;
  return html`<div class="cards">${[
    card({
      title: 'Recovery time (RTO)',
      measuredMs: report.state === 'failed' ? null : report.rtoMs,
      targetSeconds: targets.rtoSeconds,
      means: 'from the request to a database that can be used',
    }),
    card({
      title: 'Recovery point (RPO)',
      measuredMs: report.rpoMs,
      targetSeconds: targets.rpoSeconds,
      means: 'age of the snapshot when it was asked for: what would be lost',
    }),
  ]}</div>`;
}

function card({ title, measuredMs, targetSeconds, means }: Objective): Markup {
  const result = resultOf(measuredMs, targetSeconds);
  const tone = { met: 'good', missed: 'bad', 'no target': 'plain' }[result];
  const target =
    targetSeconds === undefined
      ? html`<span class="pill plain">no target was set</span>`
      : html`<span class="pill ${tone}">${result}</span> target ${wholeDuration(targetSeconds)}`;
  return html`<div class="card"><h3>${title}</h3>
<p class="figure">${measuredMs === null ? 'not reached' : formatDuration(measuredMs)}</p>
<p>${target}</p><p class="quiet">${means}</p></div>`;
}

/** `4 h` rather than `4 h 00 min`: a target is what somebody wrote down. */
const wholeDuration = (seconds: number): string =>
  formatDuration(seconds * 1000).replace(/ 00 (min|s)$/, '');
