import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { periodsOf } from '../../core/backup/periods.ts';
import { daysOf, keepUntil, lifecycleRulesOf } from '../../core/backup/retention.ts';
import { heldOf, type KnownBackup, tierAtPublish } from '../../core/backup/tiers.ts';
import { type Tier, tierSchema } from '../../core/contract/manifest.ts';
import { type RetentionPolicy, retentionPolicySchema } from '../../core/contract/retention.ts';

const defaults = retentionPolicySchema.parse({});
const anyPolicy: fc.Arbitrary<RetentionPolicy> = fc.record({
  hourly: fc.integer({ min: 0, max: 200 }),
  daily: fc.integer({ min: 1, max: 60 }),
  weekly: fc.integer({ min: 0, max: 60 }),
  monthly: fc.integer({ min: 0, max: 36 }),
  yearly: fc.integer({ min: 0, max: 10 }),
  manualDays: fc.integer({ min: 1, max: 400 }),
  safetyDays: fc.integer({ min: 1, max: 400 }),
  stagedDays: fc.integer({ min: 2, max: 30 }),
  minKeep: fc.integer({ min: 1, max: 10 }),
});
const anyBackups: fc.Arbitrary<KnownBackup[]> = fc
  .array(
    fc.record({
      at: fc.date({
        min: new Date('2020-01-01'),
        max: new Date('2030-01-01'),
        noInvalidDate: true,
      }),
      tier: fc.constantFrom(...tierSchema.options),
      scope: fc.constantFrom('full' as const, 'full' as const, 'partial' as const),
      isProven: fc.boolean(),
    }),
    { maxLength: 30 },
  )
  .map((all) => all.map((one, index) => ({ ...one, backupId: `shop-${index}` })));

describe('the rules of a bucket', () => {
  const rules = lifecycleRulesOf([{ name: 'shop', retention: defaults }]);
  const of = (id: string) => rules.find((rule) => rule.id === id);

  it('say what the default policy promises', () => {
    const days = (tier: string) => of(`catalog-shop-${tier}`)?.expirationDays;
    expect(tierSchema.options.map((tier) => [tier, days(tier)])).toEqual([
      ['hourly', 2],
      ['daily', 30],
      ['weekly', 84],
      ['monthly', 372],
      ['yearly', 2562],
      ['manual', 90],
      ['safety', 30],
    ]);
    expect(of('backups-shop-staged')).toEqual({
      id: 'backups-shop-staged',
      prefix: 'backups/shop/',
      tag: { key: 'holdfast-tier', value: 'staged' },
      expirationDays: 7,
      noncurrentDays: 1,
    });
    expect(of('colder-shop-monthly')).toMatchObject({
      largerThanBytes: 524_288,
      transition: { storageClass: 'GLACIER_IR', afterDays: 31 },
    });
    expect(rules.filter((rule) => rule.transition !== undefined).map(({ id }) => id)).toEqual([
      'colder-shop-monthly',
      'colder-shop-yearly',
    ]);
  });

  it('move nothing to a class whose shortest time would cost more than it saves', () => {
    const retention = { ...defaults, monthly: 3, weekly: 0 };
    expect(lifecycleRulesOf([{ name: 'shop', retention }]).map(({ id }) => id)).not.toContain(
      'colder-shop-monthly',
    );
  });

  it('for any policy: remove by tag alone, never what is held, never evidence, and the entry before its data', () => {
    fc.assert(
      fc.property(anyPolicy, (retention) => {
        const all = lifecycleRulesOf([{ name: 'shop', retention }]);
        expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
        for (const rule of all) {
          const acts = rule.expirationDays ?? rule.noncurrentDays ?? rule.transition;
          if (acts !== undefined) {
            expect(rule.tag?.key).toBe('holdfast-tier');
            expect([...tierSchema.options, 'staged']).toContain(rule.tag?.value);
            expect(rule.prefix).toMatch(/^(backups|catalog)\/(shop\/)?$/);
          } else expect(rule.tag).toBeUndefined();
          // S3 refuses these two beside a tag.
          if (rule.tag !== undefined) {
            expect(rule.abortUploadDays ?? rule.removesExpiredDeleteMarkers).toBeUndefined();
          }
        }
        for (const tier of tierSchema.options) {
          const [entry, data] = ['catalog', 'backups'].map(
            (root) => all.find(({ id }) => id === `${root}-shop-${tier}`)?.expirationDays,
          ) as [number, number];
          expect(entry).toBe(daysOf(tier, retention));
          expect(data).toBeGreaterThanOrEqual(entry + 2);
        }
      }),
    );
  });

  it('are the same for the same sources, and those of a source do not depend on the others', () => {
    const two = lifecycleRulesOf([
      { name: 'crm', retention: { ...defaults, daily: 5 } },
      { name: 'shop', retention: defaults },
    ]);
    expect(two.filter(({ id }) => id.includes('-shop-'))).toEqual(rules.slice(4));
    expect(lifecycleRulesOf([{ name: 'shop', retention: defaults }])).toEqual(rules);
  });

  it('remove safety backups and leftovers of databases that are no source, never before those of a source', () => {
    fc.assert(
      fc.property(anyPolicy, (retention) => {
        const all = lifecycleRulesOf([{ name: 'shop', retention }]);
        const days = (id: string) => all.find((rule) => rule.id === id)?.expirationDays ?? 0;
        for (const what of ['backups-%-staged', 'backups-%-safety', 'catalog-%-safety']) {
          const [any, own] = [`any-${what.replace('%-', '')}`, what.replace('%', 'shop')];
          expect(days(any)).toBeGreaterThanOrEqual(days(own));
          expect(days(own)).toBeGreaterThan(0);
        }
        expect(days('any-catalog-safety')).toBeGreaterThanOrEqual(30);
      }),
    );
  });

  it('are refused beyond what a bucket takes', () => {
    const many = (count: number) =>
      lifecycleRulesOf(
        Array.from({ length: count }, (_, i) => ({ name: `s${i}`, retention: defaults })),
      );
    expect(many(58)).toHaveLength(990);
    expect(() => many(59)).toThrow(/59 entries, which need 1007 .* about 58 sources/);
  });
});

describe('the time of a tier', () => {
  it('is never shorter than that of a lower one, and the lock ends with it', () => {
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        const order: Tier[] = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'];
        const days = order.map((tier) => daysOf(tier, policy));
        expect(days).toEqual(days.toSorted((a, b) => a - b));
        expect(days[0]).toBeGreaterThanOrEqual(1);
      }),
    );
    expect(keepUntil('daily', new Date('2026-11-21T03:00:00Z'), defaults)).toEqual(
      new Date('2026-12-21T03:00:00Z'),
    );
  });
});

describe('the tier at Publish', () => {
  const backup = (backupId: string, time: string, tier: Tier = 'daily'): KnownBackup => ({
    ...{ backupId, at: new Date(time), tier, scope: 'full', isProven: false },
  });
  const decide = (one: KnownBackup, others: KnownBackup[], policy = defaults, zone = 'UTC') =>
    tierAtPublish(one, others, policy, zone);

  it('is the highest that is missing: year, then month, week, day', () => {
    const known: KnownBackup[] = [];
    const publish = (time: string, tier: Tier) => {
      const one = backup(`shop-${known.length}`, time, tier);
      const kept = decide(one, known);
      known.push({ ...one, tier: kept });
      return kept;
    };
    expect(publish('2026-11-21T03:00:00Z', 'hourly')).toBe('yearly');
    expect(publish('2026-11-21T04:00:00Z', 'hourly')).toBe('hourly');
    expect(publish('2026-11-22T03:00:00Z', 'daily')).toBe('daily');
    expect(publish('2026-11-23T03:00:00Z', 'hourly')).toBe('weekly');
    expect(publish('2026-11-24T03:00:00Z', 'hourly')).toBe('daily');
    expect(publish('2026-11-24T04:00:00Z', 'hourly')).toBe('hourly');
    expect(publish('2026-12-01T03:00:00Z', 'daily')).toBe('monthly');
    expect(publish('2027-01-01T03:00:00Z', 'daily')).toBe('yearly');
  });

  it('goes by the calendar of the source', () => {
    const first = { ...backup('a', '2026-11-30T22:00:00Z'), tier: 'yearly' as const };
    const second = backup('b', '2026-11-30T23:30:00Z');
    expect(decide(second, [first], defaults, 'UTC')).toBe('daily');
    expect(decide(second, [first], defaults, 'Europe/Berlin')).toBe('monthly');
  });

  it('leaves out what the policy does not keep', () => {
    const policy = { ...defaults, yearly: 0, monthly: 0 };
    expect(decide(backup('a', '2026-11-21T03:00:00Z'), [], policy)).toBe('weekly');
  });

  it.each(['manual', 'safety', 'weekly'] as const)('of a backup that is %s stays', (tier) => {
    expect(decide(backup('a', '2026-11-21T03:00:00Z', tier), [])).toBe(tier);
  });

  it('of a partial backup stays, and a partial one stands for no period', () => {
    const partial = { ...backup('a', '2026-11-21T03:00:00Z'), scope: 'partial' as const };
    expect(decide(partial, [])).toBe('daily');
    const others = [{ ...partial, tier: 'yearly' as const }];
    expect(decide(backup('b', '2026-11-21T04:00:00Z'), others)).toBe('yearly');
  });

  it('is the same when it is asked again, whether the backup is among the others or not', () => {
    fc.assert(
      fc.property(anyBackups, anyPolicy, (all, policy) => {
        for (const one of all) {
          const tier = decide(one, all, policy, 'Europe/Berlin');
          const others = all.filter((other) => other !== one);
          expect(decide(one, others, policy, 'Europe/Berlin')).toBe(tier);
          expect(decide(one, [...others, { ...one, tier }], policy, 'Europe/Berlin')).toBe(tier);
        }
      }),
    );
  });

  it('leaves no period without a backup of its tier, in whichever order they are published', () => {
    const policy = { ...defaults, hourly: 24 };
    fc.assert(
      fc.property(anyBackups, (all) => {
        const known: KnownBackup[] = [];
        for (const one of all) known.push({ ...one, tier: decide(one, known, policy) });
        const scheduled = all.filter(
          ({ tier, scope }) => scope === 'full' && (tier === 'hourly' || tier === 'daily'),
        );
        const full = known.filter(({ scope }) => scope === 'full');
        for (const { at } of scheduled) {
          const own = periodsOf(at, 'UTC');
          const has = (period: keyof typeof own, enough: Tier[]) =>
            full.some(
              (it) => enough.includes(it.tier) && periodsOf(it.at, 'UTC')[period] === own[period],
            );
          expect(has('year', ['yearly'])).toBe(true);
          expect(has('month', ['yearly', 'monthly'])).toBe(true);
          expect(has('week', ['yearly', 'monthly', 'weekly'])).toBe(true);
          expect(has('day', ['yearly', 'monthly', 'weekly', 'daily'])).toBe(true);
        }
      }),
    );
  });
});

describe('what is held', () => {
  it('are the newest minKeep full ones by the time of their snapshots, and the newest proven one', () => {
    fc.assert(
      fc.property(anyBackups, anyPolicy, (all, policy) => {
        const held = heldOf(all, policy);
        const candidates = all.filter(({ scope, tier }) => scope === 'full' && tier !== 'safety');
        expect(held.length).toBeGreaterThanOrEqual(Math.min(policy.minKeep, candidates.length));
        expect(held.length).toBeLessThanOrEqual(policy.minKeep + 1);
        const oldest = held
          .slice(0, policy.minKeep)
          .map((id) => all.find((b) => b.backupId === id));
        for (const other of candidates.filter(({ backupId }) => !held.includes(backupId))) {
          for (const one of oldest) expect(other.at <= (one?.at as Date)).toBe(true);
        }
        const proven = candidates.filter(({ isProven }) => isProven);
        if (proven.length > 0) {
          const newest = Math.max(...proven.map(({ at }) => at.getTime()));
          expect(proven.some((b) => b.at.getTime() === newest && held.includes(b.backupId))).toBe(
            true,
          );
        }
      }),
    );
  });

  it('does not depend on the order in which they are told', () => {
    fc.assert(
      fc.property(anyBackups, (all) => {
        expect(heldOf(all.toReversed(), defaults).toSorted()).toEqual(
          heldOf(all, defaults).toSorted(),
        );
      }),
    );
  });
});
