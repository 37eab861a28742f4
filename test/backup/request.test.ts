import { describe, expect, it } from 'vitest';
import { readRequest } from '../../core/backup/request.ts';
import type { Deps } from '../../core/contract/deps.ts';
import { type Machine, smallestInput } from '../../core/contract/input-error.ts';
import { backupInputSchema } from '../../core/contract/plan.ts';
import { drillInputSchema, restoreInputSchema } from '../../core/contract/restore.ts';
import { handlers } from '../../lambdas/handlers.ts';
import { sourceParameter } from './kept-vault.ts';

const schemas = {
  backup: backupInputSchema,
  restore: restoreInputSchema,
  drill: drillInputSchema,
} as const;
const byHand = { user: 'start-execution', host: 'step-functions' };
const environment = {
  sourceOf: async () =>
    sourceParameter({
      filters: { ...sourceParameter().filters, excludeTables: ['public.logs'] },
      ...{ jobs: 3, onBlockedDdl: 'cancel-waiter', rowSecurityProven: ['public.secrets'] },
    }),
};

describe('what a bare start-execution is given', () => {
  it.each(['backup', 'restore', 'drill'] as const)(
    'the smallest input of %s is enough',
    (machine) => {
      const input = schemas[machine].parse(smallestInput[machine]);
      expect(input.requestedBy).toEqual(byHand);
    },
  );

  it.each(['backup', 'restore', 'drill'] as const)(
    '%s takes the key by which the console links executions',
    (machine) => {
      const key = { AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: 'arn:aws:states:::execution:x:y' };
      expect(schemas[machine].parse({ ...smallestInput[machine], ...key })).toMatchObject(key);
    },
  );

  it('what EventBridge Scheduler writes is a scheduled time', async () => {
    const given = { source: 'shop', tier: 'daily', scheduledAt: '2026-11-21T03:00:00Z' };
    expect(await readRequest({}, given)).toMatchObject(given);
  });
});

describe('what a request leaves open', () => {
  it('the environment says: filters, units at once, changes that wait, row security', async () => {
    expect(await readRequest(environment, { source: 'shop' })).toMatchObject({
      filters: { excludeTables: ['public.logs'] },
      options: { jobs: 3, onBlockedDdl: 'cancel-waiter', rowSecurityProven: ['public.secrets'] },
    });
  });

  it('and what it says itself stays, each on its own', async () => {
    const given = { source: 'shop', filters: {}, options: { jobs: 20, chunkBytes: 1000 } };
    const request = await readRequest(environment, given);
    expect(request.filters.excludeTables).toEqual([]);
    expect(request.options).toMatchObject({
      ...{ jobs: 20, chunkBytes: 1000, onBlockedDdl: 'cancel-waiter' },
    });
  });

  it('a safety backup is whole, whatever the nightly ones leave out', async () => {
    const request = await readRequest(environment, { source: 'shop', tier: 'safety' });
    expect(request.filters.excludeTables).toEqual([]);
  });

  it('on one machine has its defaults', async () => {
    expect(await readRequest({}, { source: 'shop' })).toEqual(
      backupInputSchema.parse({ source: 'shop' }),
    );
  });
});

describe('a wrong input', () => {
  const deps = {} as Deps;
  const states = { backup: 'Plan', restore: 'PlanRestore', drill: 'PlanDrill' } as const;
  const refusal = async (machine: Machine, request: unknown) => {
    const call = () =>
      machine === 'backup'
        ? readRequest({}, request)
        : handlers[states[machine]](deps)({ runId: 'r', request });
    return (await call().then(
      () => undefined,
      (error: unknown) => error,
    )) as Error & { hint: string };
  };

  it.each<[Machine, unknown, RegExp]>([
    ['backup', {}, /source: got nothing; /],
    ['backup', 'shop', /the input: got "shop"; /],
    ['backup', { source: 'Shop!' }, /source: got "Shop!"; .*\[a-z0-9\]/],
    ['backup', { source: 'shop', tier: 'often' }, /tier: got "often"; .*"hourly"\|"daily"/],
    ['backup', { source: 'shop', scheduledAt: 'now' }, /scheduledAt: got "now"; .*datetime/],
    ['backup', { source: 'shop', options: { jobs: 0 } }, /options\.jobs: got 0; .*>0/],
    ['backup', { source: 'shop', colour: 'red' }, /Unrecognized key: "colour"/],
    [
      'restore',
      { target: 'shop', mode: 'replace' },
      /mode: got "replace"; .*"new"\|"swap"\|"into"/,
    ],
    ['restore', { source: 'shop' }, /target: got nothing; .*Unrecognized key: "source"/],
    ['drill', { target: 7 }, /target: got 7; .*expected string/],
  ])(
    'of %s, %j, is told with the value got and a right one',
    async (machine, request, expected) => {
      const error = await refusal(machine, request);
      expect(error.name).toBe('ConfigurationError');
      expect(error.message).toMatch(expected);
      const example = JSON.stringify(smallestInput[machine]);
      expect(error.message.endsWith(`A right one: ${example}`)).toBe(true);
      expect(error.hint).toContain('nothing was begun');
    },
  );

  it('is shown shortened, and no secret of it', async () => {
    const error = await refusal('restore', {
      target: 'shop',
      hooks: { beforeCutover: ['postgres://me:hunter2@host/db', 'x'.repeat(500)] },
    });
    expect(error.message).not.toContain('hunter2');
    expect(error.message.length).toBeLessThan(600);
  });
});
