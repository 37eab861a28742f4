/** Disk of the server: a snapshot that is held for hours keeps dead rows, and all of the database is read once. */
import { ok, problem, warning } from '../../../core/doctor/check.ts';
import type { RdsCheck } from '../rds-check.ts';
import { isAurora } from '../rds-facts.ts';

const gibibyte = 2 ** 30;
/** RDS itself calls for action below 10 %. */
const scarceFraction = 0.1;
/** A server of RDS goes to `storage-full` at about 2 GiB. */
const fullBytes = 2 * gibibyte;
/** gp2 has 3 IOPS per GiB and bursts to 3,000 on credits that a long read uses up; from 1,000 GiB on it needs none. */
const burstGibibytes = 1000;

export const storageType: RdsCheck = {
  id: 'rds-storage-type',
  title: 'Kind of storage',
  look({ instance }) {
    const { StorageType: type, AllocatedStorage: size = 0 } = instance;
    if (isAurora(instance)) return ok('The storage of Aurora.');
    const told = `${type}, ${size} GiB`;
    if (type === 'standard') {
      return warning(
        `${told}: magnetic storage reads slowly, and stands still for others while a backup reads.`,
        'Move to gp3: aws rds modify-db-instance --storage-type gp3',
      );
    }
    if (type === 'gp2' && size < burstGibibytes) {
      return warning(
        `${told}: a backup of all rows uses up its burst credits, and the application then has ${Math.max(100, size * 3)} IOPS.`,
        'Move to gp3 (3,000 IOPS without credits), or lower jobs of the source.',
      );
    }
    return ok(`${told}.`);
  },
};

export const freeStorage: RdsCheck = {
  id: 'rds-free-storage',
  title: 'Free storage',
  look({ instance, freeStorageBytes: measured }) {
    if (isAurora(instance)) return ok('The storage of Aurora grows by itself.');
    if (instance.DBInstanceStatus === 'storage-full') {
      return problem('The storage is full.', 'Enlarge it: --allocated-storage');
    }
    const freeStorageBytes = measured();
    if (freeStorageBytes === undefined) {
      return warning(
        'CloudWatch has no FreeStorageSpace of the last quarter of an hour.',
        'Look into the console of RDS: a held snapshot keeps dead rows on disk until it ends.',
      );
    }
    const { AllocatedStorage: size = 0, MaxAllocatedStorage: most = 0 } = instance;
    const grows = most > size;
    const told = `${(freeStorageBytes / gibibyte).toFixed(1)} of ${size} GiB are free${grows ? ` (grows to ${most} GiB)` : ''}`;
    const hint = 'Enlarge it (--allocated-storage), or let it grow (--max-allocated-storage).';
    if (freeStorageBytes < fullBytes && !grows) return problem(`${told}.`, hint);
    return freeStorageBytes < size * gibibyte * scarceFraction && !grows
      ? warning(`${told}; a snapshot that is held for hours keeps dead rows on disk.`, hint)
      : ok(`${told}.`);
  },
};
