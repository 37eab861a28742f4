/**
 * The state Plan: everything that would make the run fail later and can be known now, then the claim, the lease and
 * the record of the run.
 *
 * Invariant: safe to call again; a second attempt of the same run keeps its backup id, its claim and its lease.
 */
import type { Deps } from '../contract/deps.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import type { BackupInput, Run } from '../contract/plan.ts';
import { restorabilityWarnings } from '../doctor/restorability.ts';
import { requireOwnSessions } from '../postgres/acting-role.ts';
import { applicationNameOf } from '../postgres/application-name.ts';
import { refusePooler } from '../postgres/pooler.ts';
import { requireSupportedVersion } from '../postgres/server-version.ts';
import { openSession } from '../postgres/session.ts';
import { refuseStandby } from '../postgres/standby.ts';
import { newBackupId } from '../run/backup-id.ts';
import { claimScheduledTime } from '../run/claim.ts';
import { releaseLease, takeLease } from '../run/lease.ts';
import { recordSpan } from '../run/phases.ts';
import { requireRunId } from '../run/run-id.ts';
import { findRun, writeRun } from '../run/run-record.ts';
import { throwIfAborted } from '../snapshot/marks.ts';
import { readVaultMarker } from '../vault/marker.ts';
import { readRequest } from './request.ts';

/**
 * @throws ConfigurationError for a request or a `role` of the login that is not allowed; VaultNotFoundError, VaultAccessDeniedError, VaultFullError; what `openSession` throws; PoolerDetectedError,
 * UnsupportedServerVersionError, StandbyRefusedError, LeaseHeldError, RunAbortedError
 */
export async function planRun(
  deps: Deps,
  { runId, request: given }: InputOf<'Plan'>,
): Promise<OutputOf<'Plan'>> {
  requireRunId('backup', runId);
  const from = deps.now();
  const earlier = await findRun(deps, runId);
  if (earlier !== undefined) return outputOf(earlier);
  const request = await readRequest(deps, given);

  // Readable here; writable by the lease and the record below, which lie beside it.
  await readVaultMarker(deps.vault);
  const { server, warnings } = await lookAtServer(deps, runId, request);

  let backupId = newBackupId(request.source, from);
  if (request.scheduledAt !== undefined) {
    const own = { runId, backupId, claimedAt: from.toISOString() };
    const claim = await claimScheduledTime(deps, request.source, request.scheduledAt, own);
    backupId = claim.backupId;
    if (claim.runId !== runId) {
      return { runId, backupId, jobs: request.options.jobs, isDuplicate: true };
    }
  }
  const lease = await takeLease(deps, {
    source: request.source,
    runId,
    leaseSeconds: request.options.leaseSeconds,
    heldBy: request.requestedBy,
  });
  const run = await writeRun(deps, {
    runId,
    backupId,
    vaultId: deps.vaultId,
    startedAt: from.toISOString(),
    input: request,
    server,
    warnings,
    fence: lease.fence,
  });
  try {
    // Whoever cleaned up after it while it was planned found neither lease nor record.
    await throwIfAborted(deps.workspace, runId);
  } catch (error) {
    await releaseLease(deps, request.source, runId).catch(() => undefined);
    throw error;
  }
  await recordSpan(deps, runId, 'Plan', { from, to: deps.now() });
  return outputOf(run);
}

async function lookAtServer(
  deps: Deps,
  runId: string,
  request: BackupInput,
): Promise<Pick<Run, 'server' | 'warnings'>> {
  const settings = await deps.connectionOf(request.source);
  const applicationName = applicationNameOf(runId, 'plan');
  await using session = await openSession(settings, { applicationName, purpose: 'control' });
  requireSupportedVersion(session.serverVersionNum);
  await refusePooler(session);
  await refuseStandby(session, request.options.holdDeadlineSeconds);
  await requireOwnSessions(session);
  const warnings = [
    ...((await deps.sourceWarnings?.(request.source, deps.now())) ?? []),
    ...(await restorabilityWarnings(session)),
  ];
  const { host, port, database } = settings;
  return {
    server: {
      host,
      port,
      database,
      version: session.parameters.get('server_version') ?? String(session.serverVersionNum),
      versionNum: session.serverVersionNum,
    },
    warnings,
  };
}

function outputOf({ runId, backupId, input }: Run): OutputOf<'Plan'> {
  return { runId, backupId, jobs: input.options.jobs, isDuplicate: false };
}
