/** The parameter groups of the server, as far as a backup depends on them. */
import { backupOptionsSchema } from '../../../core/contract/plan.ts';
import { ok, problem, warning } from '../../../core/doctor/check.ts';
import { isSupported, newestMajor, oldestMajor } from '../../../core/postgres/server-version.ts';
import { requireKeptSnapshot } from '../../../core/postgres/standby.ts';
import { holderCount } from '../../../core/snapshot/lock-budget.ts';
import type { RdsCheck } from '../rds-check.ts';
import { isAurora } from '../rds-facts.ts';

const { holdDeadlineSeconds } = backupOptionsSchema.parse({});

export const majorOf = (version: string | undefined): number => Number.parseInt(version ?? '', 10);

export const engineVersion: RdsCheck = {
  id: 'rds-engine',
  title: 'Engine',
  look({ what, instance: { Engine, EngineVersion } }) {
    if (Engine !== 'postgres' && Engine !== 'aurora-postgresql') {
      return problem(
        `The ${what} is ${Engine}.`,
        'Holdfast backs up postgres and aurora-postgresql.',
      );
    }
    const major = majorOf(EngineVersion);
    const told = `The ${what} is ${Engine} ${EngineVersion}`;
    const supported = `${oldestMajor} to ${newestMajor}`;
    if (!isSupported(major * 10_000)) {
      return problem(`${told}; supported are ${supported}.`, 'Upgrade the server, or Holdfast.');
    }
    return major === oldestMajor
      ? warning(
          `${told}, near the end of its standard support.`,
          `Plan an upgrade; a backup restores into ${supported}.`,
        )
      : ok(`${told}.`);
  },
};

export const parameterGroup: RdsCheck = {
  id: 'rds-parameter-group',
  title: 'Parameter group',
  look({ instance: { DBParameterGroups } }) {
    const [group] = DBParameterGroups ?? [];
    const told = `${group?.DBParameterGroupName} is ${group?.ParameterApplyStatus}`;
    return group?.ParameterApplyStatus === 'in-sync'
      ? ok(`${told}.`)
      : warning(
          `${told}: what it says is not what the server does.`,
          'Reboot the instance, so that the values told below are its own.',
        );
  },
};

export const forcedTls: RdsCheck = {
  id: 'rds-force-ssl',
  title: 'TLS for everybody',
  look({ instance, parameters }) {
    // What RDS has where the group says nothing: on since PostgreSQL 15 (Aurora: 17).
    const since = isAurora(instance) ? 17 : 15;
    const value =
      parameters().get('rds.force_ssl') ?? (majorOf(instance.EngineVersion) >= since ? '1' : '0');
    return isOn(value)
      ? ok('rds.force_ssl is on.')
      : warning(
          'rds.force_ssl is off: clients may send passwords and rows in the clear.',
          'Set rds.force_ssl = 1 in the parameter group. Holdfast itself uses TLS in any case.',
        );
  },
};

/** Default of the server. */
const defaultLocks = 64;

export const lockTable: RdsCheck = {
  id: 'rds-locks',
  title: 'Lock table',
  look({ parameters }) {
    const locks = Number(parameters().get('max_locks_per_transaction') ?? defaultLocks);
    // RDS mostly has a formula of the instance's memory here, which only the server can evaluate.
    const connections = Number(parameters().get('max_connections') ?? Number.NaN);
    const tables = Math.floor((locks * connections) / 2 / holderCount);
    const told = Number.isNaN(tables)
      ? `max_locks_per_transaction is ${locks}`
      : `max_locks_per_transaction is ${locks}: enough for ${tables} tables`;
    return locks < defaultLocks
      ? warning(
          `${told}, less than the default of the server.`,
          `Set max_locks_per_transaction = ${defaultLocks} or more (needs a reboot); with --database doctor counts the tables.`,
        )
      : ok(`${told}.`);
  },
};

export const standby: RdsCheck = {
  id: 'rds-standby',
  title: 'Writer or reader',
  look({ what, instance, cluster, parameters }) {
    const isReplica =
      (instance.ReadReplicaSourceDBInstanceIdentifier ?? '') !== '' ||
      (instance.ReadReplicaSourceDBClusterIdentifier ?? '') !== '';
    const readers = (cluster?.DBClusterMembers ?? []).filter((one) => one.IsClusterWriter !== true);
    if (!isReplica && readers.length === 0) return ok(`The ${what} is a primary.`);
    const milliseconds = Number(parameters().get('max_standby_streaming_delay') ?? 30_000);
    const settings = {
      hasFeedback: isOn(parameters().get('hot_standby_feedback') ?? '0'),
      delaySeconds: milliseconds < 0 ? -1 : milliseconds / 1000,
      delay: milliseconds < 0 ? '-1' : `${milliseconds / 1000}s`,
    };
    if (isReplica) {
      requireKeptSnapshot(settings, holdDeadlineSeconds);
      return ok(`The ${what} is a replica on which the primary cannot end a snapshot.`);
    }
    return ok(
      `Backups come from the writer. For its ${readers.length} readers hot_standby_feedback is ` +
        `${settings.hasFeedback ? 'on' : 'off'} and max_standby_streaming_delay is ${settings.delay}; ` +
        'reader: true needs on and -1.',
    );
  },
};

const timeouts = [
  'statement_timeout',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'transaction_timeout',
  'lock_timeout',
];

export const sessionTimeouts: RdsCheck = {
  id: 'rds-timeouts',
  title: 'Timeouts of sessions',
  look({ parameters }) {
    const set = timeouts.flatMap((name) => {
      const value = parameters().get(name);
      return value === undefined || value === '0' ? [] : [`${name} = ${value} ms`];
    });
    return ok(
      set.length === 0
        ? 'None is set.'
        : `${set.join(', ')}: sessions of Holdfast take them off for themselves.`,
    );
  },
};

/** As the groups write a boolean. */
const isOn = (value: string): boolean => ['1', 'on', 'true'].includes(value.toLowerCase());
