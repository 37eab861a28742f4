/**
 * The function Record: signs and writes what other functions have found, so that none of them may sign.
 *
 * Invariant: a state leaves only the kinds of evidence that its work can show. That the caller is who it says is for IAM:
 * only the roles named here may call the function at all.
 */
import type { EvidenceKind } from '../contract/catalogue.ts';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { FunctionInput, FunctionName, FunctionOutput } from '../contract/functions.ts';
import { writeEvidence } from './record.ts';

const recorders: Readonly<Record<EvidenceKind, readonly FunctionName[]>> = {
  verified: ['Publish'],
  published: ['Publish'],
  promoted: ['Publish'],
  held: ['Publish'],
  released: ['Publish'],
  replicated: ['RecordReplica'],
  proven: ['ConcludeDrill'],
  damaged: ['Publish', 'RecordReplica', 'ConcludeDrill', 'CleanUp'],
};

/** @throws ConfigurationError for a kind that the state may not leave, or a backup that is none of the source's */
export async function recordFor(
  deps: Pick<Deps, 'vault' | 'keyRing' | 'now'>,
  { state, evidence }: FunctionInput<'Record'>,
): Promise<FunctionOutput<'Record'>> {
  const { kind, source, backupId } = evidence;
  const allowed: readonly string[] = recorders[kind];
  if (!allowed.includes(state)) {
    throw new HoldfastError(
      'ConfigurationError',
      `${state} asks for a record "${kind}"; that is left by ${allowed.join(', ')} alone.`,
      { evidence: { state, kind, backupId } },
    );
  }
  if (!backupId.startsWith(`${source}-`)) {
    throw new HoldfastError('ConfigurationError', `${backupId} is no backup of ${source}.`);
  }
  return { key: await writeEvidence(deps, evidence) };
}
