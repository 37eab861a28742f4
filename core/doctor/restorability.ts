/**
 * The checks about restorability: run by `doctor`, and by every backup, which keeps what they find in its manifest.
 */
import type { Warning } from '../contract/manifest.ts';
import type { Session } from '../postgres/session.ts';
import { type CheckDefinition, runCheck } from './check.ts';
import { collationVersions, encoding, invalidIndexes } from './checks/definitions.ts';
import { extensions } from './checks/extensions.ts';

export const restorabilityChecks: readonly CheckDefinition<Session>[] = [
  extensions,
  invalidIndexes,
  encoding,
  collationVersions,
];

/** What will be different at a restore from what one expects; empty when nothing is. Reads catalogs only. */
export async function restorabilityWarnings(session: Session): Promise<Warning[]> {
  const warnings: Warning[] = [];
  for (const definition of restorabilityChecks) {
    const { id, status, detail, hint } = await runCheck(definition, session);
    if (status !== 'ok') warnings.push({ code: id, message: detail, hint: hint ?? '' });
  }
  return warnings;
}
