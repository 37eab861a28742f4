/** The verdict in words: the first thing, and for many readers the only thing, that is read. */
import type { RestoreReport } from '../../contract/restore.ts';
import { leftBehind } from '../build-report.ts';
import { isDamage } from '../damage.ts';
import { plural } from '../format.ts';

export type Tone = 'good' | 'warning' | 'bad';

export interface Headline {
  readonly tone: Tone;
  readonly title: string;
  readonly text: string;
}

export function headlineOf(report: RestoreReport): Headline {
  if (report.kind === 'dry-run') return ofDryRun(report);
  if (report.kind === 'drill') return ofDrill(report);
  if (report.state === 'rolled-back') {
    return {
      tone: 'warning',
      title: 'Rolled back',
      text: 'The restore had succeeded and was taken back: the database that it had replaced is in its place again.',
    };
  }
  return report.state === 'succeeded' ? ofSuccess(report) : ofFailure(report);
}

function ofSuccess({ verdict, mode }: RestoreReport): Headline {
  if (verdict === 'identical') {
    return {
      tone: 'good',
      title: 'Identical, and proven so',
      text:
        mode === 'into'
          ? 'What was loaded was read back and compared with the backup, table by table, before it was written into the database.'
          : 'What was restored was read back from the server and compared with the backup: rows, definitions and settings are the same.',
    };
  }
  return {
    tone: 'warning',
    title: verdict === 'different' ? 'Restored, with differences' : 'Restored, not compared',
    text:
      verdict === 'different'
        ? 'The restore came to its end, and the comparison found differences. They are listed below.'
        : 'The restore came to its end. Nothing was compared, so nothing is proven.',
  };
}

function ofFailure({ verdict, error, warnings }: RestoreReport): Headline {
  const isCleared = warnings.every(({ code }) => code !== leftBehind);
  const after = isCleared
    ? 'What it had begun was taken away again; the target is as it was before.'
    : 'Not everything that it had begun could be taken away again: see the warnings.';
  if (verdict === 'different') {
    return {
      tone: 'bad',
      title: 'Different',
      text: `What was restored is not what was backed up. ${after}`,
    };
  }
  return {
    tone: 'bad',
    title: 'The restore failed',
    text: `It ended with ${error?.name ?? 'an error'}. ${after}`,
  };
}

function ofDrill(report: RestoreReport): Headline {
  const { state, verdict, error } = report;
  if (state === 'succeeded' && verdict === 'identical') {
    return {
      tone: 'good',
      title: 'The backup is proven',
      text: 'It was restored whole on a scratch database, read back, and found identical to what was sealed.',
    };
  }
  if (verdict === 'different' || (error !== null && isDamage(error.name))) {
    return {
      tone: 'bad',
      title: 'The backup is damaged',
      text: 'What came out of it is not what was sealed. Keep it, take another one now, and look below for what is wrong.',
    };
  }
  return {
    tone: 'bad',
    title: 'The drill failed; no verdict on the backup',
    text: `It ended with ${error?.name ?? 'an error'}, which says nothing against the backup. It is not proven by this drill.`,
  };
}

function ofDryRun({ preflight, error }: RestoreReport): Headline {
  const count = (verdict: string) => preflight.filter((item) => item.verdict === verdict).length;
  const failed = count('failed');
  const warnings = count('warning');
  if (failed > 0 || error !== null) {
    return {
      tone: 'bad',
      title: 'It would not work',
      text: `Preflight found ${plural(failed, 'reason')} against this restore. Nothing was touched.`,
    };
  }
  const but = warnings > 0 ? ` ${plural(warnings, 'warning')} should be read first.` : '';
  return {
    tone: warnings > 0 ? 'warning' : 'good',
    title: 'It would work',
    text: `Preflight found nothing that stands in the way of this restore. Nothing was touched.${but}`,
  };
}
