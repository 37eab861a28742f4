/** What RDS itself does against loss, its certificate, and its windows. */
import { ok, problem, warning } from '../../../core/doctor/check.ts';
import type { RdsCheck } from '../rds-check.ts';
import { isAurora } from '../rds-facts.ts';

export const status: RdsCheck = {
  id: 'rds-status',
  title: 'Status',
  look({ what, instance, cluster }) {
    const state = cluster?.Status ?? instance.DBInstanceStatus;
    return state === 'available'
      ? ok(`The ${what} is available.`)
      : warning(`The ${what} is ${state}.`, 'A backup waits until connections are taken.');
  },
};

export const iamLogin: RdsCheck = {
  id: 'rds-iam',
  title: 'Login by IAM',
  look({ instance, cluster }) {
    const isOn = (cluster ?? instance).IAMDatabaseAuthenticationEnabled === true;
    return ok(
      isOn
        ? 'IAM database authentication is on: auth iam works for roles with rds_iam.'
        : 'IAM database authentication is off: the connection needs a secret.',
    );
  },
};

const dayMs = 86_400_000;
const soonDays = 30;
/** Its root expired on 2024-08-22. */
const expiredAuthority = 'rds-ca-2019';

export const certificate: RdsCheck = {
  id: 'rds-certificate',
  title: 'Certificate',
  look({ instance: { CACertificateIdentifier, CertificateDetails }, now }) {
    const authority = CertificateDetails?.CAIdentifier ?? CACertificateIdentifier;
    const until = CertificateDetails?.ValidTill;
    const days = until === undefined ? Number.POSITIVE_INFINITY : (+until - +now) / dayMs;
    const told = `The certificate is of ${authority}${until === undefined ? '' : `, valid until ${until.toISOString().slice(0, 10)}`}`;
    const hint =
      'Rotate it: aws rds modify-db-instance --ca-certificate-identifier rds-ca-rsa2048-g1';
    if (authority === expiredAuthority || days < 0) {
      return problem(`${told}: expired. verify-full refuses it.`, hint);
    }
    return days < soonDays ? warning(`${told}.`, hint) : ok(`${told}.`);
  },
};

export const deletionProtection: RdsCheck = {
  id: 'rds-deletion-protection',
  title: 'Protection against deletion',
  look({ what, instance, cluster }) {
    return (cluster ?? instance).DeletionProtection === true
      ? ok('It is on.')
      : warning(
          `The ${what} can be deleted by one call.`,
          'Turn on deletion protection: --deletion-protection',
        );
  },
};

export const availability: RdsCheck = {
  id: 'rds-multi-az',
  title: 'Availability',
  look({ what, instance, cluster }) {
    const members = cluster?.DBClusterMembers?.length ?? 0;
    if (cluster === undefined ? instance.MultiAZ === true : members > 1) {
      return ok(cluster === undefined ? 'Multi-AZ.' : `The cluster has ${members} instances.`);
    }
    return warning(
      `The ${what} is in one zone: an outage of it takes the server away, and RDS stops its storage for seconds to back it up.`,
      cluster === undefined ? 'Turn on Multi-AZ: --multi-az' : 'Add a reader in another zone.',
    );
  },
};

export const windows: RdsCheck = {
  id: 'rds-windows',
  title: 'Windows of RDS',
  look({ what, instance, cluster }) {
    const server = cluster ?? instance;
    const { BackupRetentionPeriod: days = 0 } = server;
    const maintenance = server.PreferredMaintenanceWindow;
    if (days === 0 && !isAurora(instance)) {
      return warning(
        `The ${what} has no automated backups: no restore to a point in time.`,
        'Turn them on (--backup-retention-period 7): they go back to a second, Holdfast out of the account.',
      );
    }
    return ok(
      `RDS backs up at ${server.PreferredBackupWindow} UTC (kept ${days} days), and does maintenance at ${maintenance} UTC: ` +
        'best no schedule of Holdfast is within them.',
    );
  },
};
