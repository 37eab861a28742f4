/**
 * A bucket that knows lifecycle rules only, and a source that is backed up for years: Publish as the pure functions decide
 * it, a pass of the rules at each midnight UTC. No code of ours removes anything.
 */
import { type LifecycleRule, lifecycleRulesOf } from '../../core/backup/retention.ts';
import { heldOf, type KnownBackup, tierAtPublish } from '../../core/backup/tiers.ts';
import type { Tier } from '../../core/contract/manifest.ts';
import type { RetentionPolicy } from '../../core/contract/retention.ts';

export const dayMs = 86_400_000;
const midnightAfter = (ms: number) => Math.ceil(ms / dayMs) * dayMs;

interface Stored {
  readonly key: string;
  readonly born: number;
  tag: string;
}

export interface SimulatedBackup extends KnownBackup {
  readonly objects: readonly Stored[];
}

export interface Event {
  /** When its snapshot was taken; its data was begun then. */
  readonly at: Date;
  readonly tier: 'hourly' | 'daily';
  /** From the first object to the catalogue entry. */
  readonly hours: number;
  readonly scope: 'full' | 'partial';
  /** A drill proves it right after. */
  readonly isProven: boolean;
}

export class SimulatedVault {
  readonly #policy: RetentionPolicy;
  readonly #timeZone: string;
  readonly #rules: readonly LifecycleRule[];
  #backups: SimulatedBackup[] = [];
  #count = 0;

  constructor(policy: RetentionPolicy, timeZone: string) {
    this.#policy = policy;
    this.#timeZone = timeZone;
    this.#rules = lifecycleRulesOf([{ name: 'shop', retention: policy }]);
  }

  /** Those of which the entry is there. */
  get listed(): SimulatedBackup[] {
    return this.#backups.filter(({ objects }) => isThere(objects, 'catalog/'));
  }

  /** A listed backup of which something is gone. */
  get broken(): SimulatedBackup[] {
    return this.listed.filter(({ objects }) => objects.length < 3);
  }

  publish(event: Event): Tier {
    const { hours, ...known } = event;
    const backupId = `shop-${this.#count++}`;
    const tier = tierAtPublish({ ...known, backupId }, this.listed, this.#policy, this.#timeZone);
    const born = event.at.getTime();
    const end = born + hours * 3_600_000;
    const objects = [
      { key: `backups/shop/${backupId}/data/0`, born, tag: tier },
      { key: `backups/shop/${backupId}/manifest.json`, born: end, tag: tier },
      { key: `catalog/shop/${backupId}.json`, born: end, tag: tier },
    ];
    this.#backups.push({ ...known, backupId, tier, objects });
    const held = new Set(heldOf(this.listed, this.#policy));
    for (const backup of this.listed) {
      for (const object of backup.objects) {
        object.tag = held.has(backup.backupId) ? 'held' : backup.tier;
      }
    }
    return tier;
  }

  /** The pass of a midnight. */
  expire(midnight: number): void {
    const isDue = ({ key, born, tag }: Stored) =>
      this.#rules.some(
        ({ prefix, tag: wanted, expirationDays }) =>
          expirationDays !== undefined &&
          key.startsWith(prefix) &&
          (wanted === undefined || wanted.value === tag) &&
          midnightAfter(born + expirationDays * dayMs) <= midnight,
      );
    this.#backups = this.#backups
      .map((backup) => ({ ...backup, objects: backup.objects.filter((it) => !isDue(it)) }))
      .filter(({ objects }) => objects.length > 0);
  }
}

const isThere = (objects: readonly Stored[], root: string) =>
  objects.some(({ key }) => key.startsWith(root));
