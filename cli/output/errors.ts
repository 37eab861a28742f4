/** An error as text for a person and as JSON for a script: what happened, and what to do now. */
import { HoldfastError } from '../../core/contract/errors.ts';
import type { PreflightItem } from '../../core/contract/restore.ts';
import { preflightOf } from './describe-preflight.ts';
import { printable } from './format.ts';

export interface RenderedError {
  readonly text: string;
  readonly json: {
    readonly name: string;
    readonly message: string;
    readonly hint: string;
    /** Of a restore or drill that left a report. */
    readonly runId?: string;
    readonly report?: string;
    /** Of a restore that was refused before it began: all that was looked at. */
    readonly preflight?: readonly PreflightItem[];
    /** What became of the run beside its error: what it could not take away. */
    readonly notes?: readonly string[];
  };
}

export function renderError(error: unknown): RenderedError {
  const isKnown = error instanceof HoldfastError;
  const known = isKnown
    ? error
    : new HoldfastError('InternalError', error instanceof Error ? error.message : String(error), {
        cause: error,
      });
  const { name, message, hint } = known;
  const lines = [`${name}: ${message}`, `  What to do: ${hint}`];
  if (name === 'InternalError') lines.push(...traceOf(error));
  if (name === 'WorkerLostError') lines.push(...lastWordsOf(known.evidence.stderr));
  const { runId, page } = known.evidence;
  const preflight = preflightOf(known);
  const notes = Array.isArray(known.evidence.troubles) ? known.evidence.troubles.map(String) : [];
  lines.push(...notes.map((one) => `  Note: ${printable(one)}`));
  if (typeof page === 'string') lines.push(`  Report: ${page}`);
  const ofRun = {
    ...(typeof runId === 'string' ? { runId } : {}),
    ...(typeof page === 'string' ? { report: page } : {}),
    ...(preflight === undefined ? {} : { preflight }),
    ...(notes.length > 0 ? { notes } : {}),
  };
  return { text: lines.join('\n'), json: { name, message, hint, ...ofRun } };
}

/** Only for what nobody foresaw: a report needs it; for all else it is noise. */
function traceOf(error: unknown): string[] {
  const stack = error instanceof Error ? error.stack : undefined;
  return stack === undefined
    ? []
    : stack
        .split('\n')
        .slice(1)
        .map((line) => `  ${line.trim()}`);
}

/** A process that died may have said why. */
function lastWordsOf(stderr: unknown): string[] {
  if (typeof stderr !== 'string' || stderr.trim() === '') return [];
  return [
    '  It wrote:',
    ...stderr
      .trim()
      .split('\n')
      .slice(-12)
      .map((line) => `    ${line}`),
  ];
}
