import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { periodsOf } from '../../core/backup/periods.ts';
import { daysOf } from '../../core/backup/retention.ts';
import type { Tier } from '../../core/contract/manifest.ts';
import { type RetentionPolicy, retentionPolicySchema } from '../../core/contract/retention.ts';
import { dayMs, type Event, SimulatedVault } from './retention-simulator.ts';

const defaults = retentionPolicySchema.parse({});
const start = Date.parse('2023-12-20T00:00:00Z');

/** A backup at 03:00 local winter time of each of these days; `hours` of work each. */
const nightly = (days: Iterable<number>, more: Partial<Event> = {}): Event[] =>
  [...days].map((day) => ({
    ...{ at: new Date(start + day * dayMs + 2 * 3_600_000), tier: 'daily', hours: 5 },
    ...{ scope: 'full', isProven: day % 7 === 0 },
    ...more,
  }));

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** Runs all, with a pass of the rules each midnight, and looks after each of them. */
function run(
  vault: SimulatedVault,
  events: readonly Event[],
  days: number,
  look: (now: number) => void = () => undefined,
) {
  let next = 0;
  for (let day = 0; day <= days; day++) {
    const midnight = start + day * dayMs;
    vault.expire(midnight);
    look(midnight);
    for (; next < events.length; next++) {
      const event = events[next] as Event;
      if (event.at.getTime() + event.hours * 3_600_000 >= midnight + dayMs) break;
      vault.publish(event);
    }
  }
}

const tiers = [
  ['yearly', 'year'],
  ['monthly', 'month'],
  ['weekly', 'week'],
  ['daily', 'day'],
] as const;

/** Looks, on a day, whether each period that had a full backup keeps one for its time, counted from its first. */
function periodsKept(
  vault: SimulatedVault,
  events: readonly Event[],
  policy: RetentionPolicy,
  zone: string,
) {
  const promised = tiers.flatMap(([tier, period]) => {
    if (tier !== 'daily' && policy[tier] === 0) return [];
    const periods = new Map<string, { from: number; until: number }>();
    for (const { at, hours, scope } of events) {
      const name = periodsOf(at, zone)[period];
      const from = at.getTime() + hours * 3_600_000 + dayMs;
      const until = at.getTime() + daysOf(tier, policy) * dayMs;
      if (scope === 'full' && !periods.has(name)) periods.set(name, { from, until });
    }
    return [...periods].map(([name, times]) => ({ period, name, ...times }));
  });
  return (now: number) => {
    const full = vault.listed.filter(({ scope }) => scope === 'full');
    const names = new Set(full.flatMap(({ at }) => Object.values(periodsOf(at, zone))));
    const missing = promised.filter(
      ({ name, from, until }) => from <= now && now < until && !names.has(name),
    );
    expect(missing, new Date(now).toISOString()).toEqual([]);
  };
}

describe('years of nightly backups under the default policy', () => {
  it('leave what the policy names: 30 days, 12 weeks, 12 months, 7 years', () => {
    const vault = new SimulatedVault(defaults, 'Europe/Berlin');
    run(vault, nightly(range(0, 8 * 365)), 8 * 365);
    const count = (tier: Tier) => vault.listed.filter((backup) => backup.tier === tier).length;
    // January's first backup is the year's, and that of the week of 1 December (a Monday) is the month's.
    expect([count('yearly'), count('monthly'), count('weekly')]).toEqual([7, 11, 11]);
    expect(count('daily')).toBeGreaterThanOrEqual(23);
    expect(vault.broken).toEqual([]);
  });

  it('cross both changes of the clock and a year of 53 weeks without losing a period', () => {
    const vault = new SimulatedVault(defaults, 'America/New_York');
    const events = nightly(range(0, 4 * 365 + 30));
    run(vault, events, 4 * 365 + 30, periodsKept(vault, events, defaults, 'America/New_York'));
    expect(events.map(({ at }) => periodsOf(at, 'America/New_York').week)).toContain('2026-W53');
  });

  it('that stop one day keep the newest three and the newest proven one for ever', () => {
    const vault = new SimulatedVault(defaults, 'UTC');
    const events = nightly(range(0, 40)).map((event, day) => ({ ...event, isProven: day === 9 }));
    run(vault, events, 20 * 365);
    const days = vault.listed.map(({ at }) => (at.getTime() - start - 2 * 3_600_000) / dayMs);
    expect(days.toSorted((a, b) => a - b)).toEqual([9, 37, 38, 39]);
    expect(vault.broken).toEqual([]);
  });

  it('of which each takes a whole day are whole for as long as they are listed', () => {
    const vault = new SimulatedVault({ ...defaults, minKeep: 1 }, 'UTC');
    run(vault, nightly(range(0, 200), { hours: 26, isProven: false }), 700, () =>
      expect(vault.broken).toEqual([]),
    );
  });
});

describe('any years', () => {
  const policies = fc.record({
    hourly: fc.integer({ min: 0, max: 72 }),
    daily: fc.integer({ min: 1, max: 20 }),
    weekly: fc.integer({ min: 0, max: 8 }),
    monthly: fc.integer({ min: 0, max: 6 }),
    yearly: fc.integer({ min: 0, max: 2 }),
    minKeep: fc.integer({ min: 1, max: 5 }),
  });
  const moments = fc.array(
    fc.record({
      hour: fc.integer({ min: 0, max: 24 * 500 }),
      tier: fc.constantFrom('hourly' as const, 'daily' as const),
      hours: fc.integer({ min: 0, max: 20 }),
      scope: fc.constantFrom('full' as const, 'full' as const, 'partial' as const),
      isProven: fc.boolean(),
    }),
    { minLength: 5, maxLength: 120 },
  );

  it('never leave fewer than minKeep, nothing broken is listed, and each period keeps one', () => {
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe');
    fc.assert(
      fc.property(policies, moments, zones, (some, all, zone) => {
        const policy = { ...defaults, ...some };
        const vault = new SimulatedVault(policy, zone);
        // By the end of the work, as Publish is called.
        const events = all
          .map(({ hour, ...rest }) => ({ ...rest, at: new Date(start + hour * 3_600_000) }))
          .toSorted((a, b) => +a.at - +b.at || a.hours - b.hours);
        const look = periodsKept(vault, events, policy, zone);
        let full = 0;
        run(vault, events, 520, (now) => {
          const isFull = ({ scope }: { scope: string }) => scope === 'full';
          full = Math.max(full, vault.listed.filter(isFull).length);
          expect(vault.listed.filter(isFull).length).toBeGreaterThanOrEqual(
            Math.min(full, policy.minKeep),
          );
          expect(vault.broken).toEqual([]);
          look(now);
        });
      }),
      { numRuns: 40 },
    );
  });
});
