/**
 * Says before the worst day what would go wrong: every check in the order in which a backup would stumble over it.
 *
 * Invariant: `doctor` never throws: what cannot be opened is a check with the status `problem`, and only the checks
 * that need it are left out.
 */
import type { VaultMarker } from '../contract/catalogue.ts';
import { isHoldfastError } from '../contract/errors.ts';
import type { KeyRing } from '../keyring/key-ring.ts';
import { describeTarget } from '../postgres/connect.ts';
import type { ConnectionSettings } from '../postgres/connection.ts';
import { openSession, type Session } from '../postgres/session.ts';
import { type Check, failure, ok, runCheck } from './check.ts';
import { blockingLocks, longTransactions } from './checks/activity.ts';
import { clockSkew, freeSpace, lockSlots } from './checks/capacity.ts';
import { pooler } from './checks/pooler.ts';
import { largeObjectRights, ownSessions, sequenceRights, tableRights } from './checks/rights.ts';
import { rowSecurity } from './checks/row-security.ts';
import { serverVersion, standby } from './checks/server.ts';
import { keyUsable, type VaultTarget, vaultPrivate, vaultWritable } from './checks/vault.ts';
import { restorabilityChecks } from './restorability.ts';

export interface DoctorVault extends VaultTarget {
  /** Free space where the vault is; absent where that has no meaning (S3). */
  readonly freeBytes?: () => Promise<number>;
  /** Permission bits of its folder; absent where there are none. */
  readonly folderMode?: () => Promise<number | undefined>;
  /** @throws KeyFileMissingError, KeyFileInsecureError … */
  readonly keyRing: (marker: VaultMarker) => Promise<KeyRing>;
}

/** Each is a function, so that what it throws becomes a check; what is absent was not named and is not checked. */
export interface DoctorInput {
  readonly connection?: () => Promise<ConnectionSettings>;
  readonly vault?: () => Promise<DoctorVault>;
  readonly now: () => Date;
}

const databaseChecks = [
  serverVersion,
  standby,
  pooler,
  ownSessions,
  tableRights,
  sequenceRights,
  largeObjectRights,
  rowSecurity,
  blockingLocks,
  longTransactions(),
  lockSlots,
  ...restorabilityChecks,
] as const;

export async function doctor(input: DoctorInput): Promise<Check[]> {
  const checks: Check[] = [];
  let vault: DoctorVault | undefined;
  if (input.vault !== undefined) {
    const opened = await open(
      'vault-opens',
      'Vault',
      input.vault,
      ({ vault: { location } }) => location,
    );
    checks.push(opened.check);
    vault = opened.value;
  }
  if (vault !== undefined) checks.push(...(await lookAtVault(vault)));
  if (input.connection !== undefined)
    checks.push(...(await lookAtServer(input.connection, vault, input.now)));
  return checks;
}

async function lookAtVault(target: DoctorVault): Promise<Check[]> {
  const { vault, marker, folderMode } = target;
  const { location } = vault;
  const checks = [await runCheck(vaultWritable, target)];
  if (folderMode !== undefined) checks.push(await runCheck(vaultPrivate, { location, folderMode }));
  const keyRing = () => target.keyRing(marker);
  checks.push(await runCheck(keyUsable, { marker, location, keyRing }));
  return checks;
}

async function lookAtServer(
  connection: () => Promise<ConnectionSettings>,
  vault: DoctorVault | undefined,
  now: () => Date,
): Promise<Check[]> {
  const connect = async (): Promise<Session> =>
    openSession(await connection(), { applicationName: 'holdfast/doctor', purpose: 'control' });
  const { check, value: session } = await open(
    'server-reachable',
    'Server',
    connect,
    ({ settings }) => describeTarget(settings),
  );
  if (session === undefined) return [check];
  try {
    const checks = [check];
    for (const definition of databaseChecks) checks.push(await runCheck(definition, session));
    checks.push(await runCheck(clockSkew, { session, now }));
    const freeBytes = vault?.freeBytes;
    if (freeBytes !== undefined) checks.push(await runCheck(freeSpace, { session, freeBytes }));
    return checks;
  } finally {
    await session.close();
  }
}

/** A pooler is found while connecting; it has its own check all the same. */
async function open<T>(
  id: string,
  title: string,
  opening: () => Promise<T>,
  describe: (value: T) => string,
): Promise<{ check: Check; value?: T }> {
  try {
    const value = await opening();
    return { check: { id, title, ...ok(`${describe(value)} can be opened.`) }, value };
  } catch (error) {
    const named = isHoldfastError(error, 'PoolerDetectedError') ? pooler : { id, title };
    return { check: { id: named.id, title: named.title, ...failure(error) } };
  }
}
