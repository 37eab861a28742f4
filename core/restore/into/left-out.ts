/** What hung on the tables that were made again, and is not made with them: told, so that nobody misses it later. */
import type { Warning } from '../../contract/manifest.ts';
import type { MergePlan } from './plan-merge.ts';

export function leftOutWarnings({ definitions }: MergePlan): Warning[] {
  const { missingViews, publications } = definitions;
  const warnings: Warning[] = [];
  if (missingViews.length > 0) {
    warnings.push({
      code: 'views-missing',
      message: `Views on the restored tables are not there: ${missingViews.join(', ')}.`,
      hint: 'Only tables are brought back. Run the definitions of the views again: docs/restore.md shows how to read them from the backup.',
    });
  }
  if (publications.length > 0) {
    warnings.push({
      code: 'publications-left-out',
      message: `Restored tables were published, and are in no publication now: ${publications.join(', ')}.`,
      hint: 'What is published goes to subscribers. When that is wanted: ALTER PUBLICATION … ADD TABLE …, then REFRESH PUBLICATION at each subscriber.',
    });
  }
  return warnings;
}
