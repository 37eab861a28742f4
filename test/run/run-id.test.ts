/** Names of executions that no run may have, refused before anything is taken. */
import { expect, it } from 'vitest';
import { planRun } from '../../core/backup/plan.ts';
import type { Deps } from '../../core/contract/deps.ts';
import type { MachineName } from '../../core/contract/names.ts';
import { backupInputSchema } from '../../core/contract/plan.ts';
import { drillInputSchema, restoreInputSchema } from '../../core/contract/restore.ts';
import { planDrill } from '../../core/drill/plan-drill.ts';
import { planRestore } from '../../core/restore/plan-restore.ts';
import { requireRunId } from '../../core/run/run-id.ts';
import { newRunId } from '../../local/engine/run-backup.ts';

/** Nothing is there to be asked: who asks fails otherwise. */
const nothing = {} as Deps;
const target = { target: 'there', choice: { source: 'shop' } };
const plans: Record<MachineName, (runId: string) => Promise<unknown>> = {
  backup: (runId) =>
    planRun(nothing, { runId, request: backupInputSchema.parse({ source: 'shop' }) }),
  restore: (runId) => planRestore(nothing, { runId, request: restoreInputSchema.parse(target) }),
  drill: (runId) => planDrill(nothing, { runId, request: drillInputSchema.parse(target) }),
};
const machines = ['backup', 'restore', 'drill'] as const;

it.each([
  ['too long', 'x'.repeat(81), /such as x{64,80}\.$/],
  [
    'letters that a key or a session has otherwise',
    'Löschung größer',
    /such as Lo-schung-gro-er\.$/,
  ],
  ['a dot first', '.hidden', /such as hidden\.$/],
  ['a way out', '../../vault', /such as vault\.$/],
  ['nothing that could stay', '💥', /such as (backup|restore|drill)-1\.$/],
])('%s: refused by each machine, with a right one', async (_, runId, hint) => {
  for (const machine of machines) {
    const error = await plans[machine](runId).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'ConfigurationError', hint: expect.stringMatching(hint) });
    const [, right = ''] = /such as (.+)\.$/.exec((error as { hint: string }).hint) ?? [];
    expect(() => requireRunId(machine, right)).not.toThrow();
  }
});

it('children of the longest names have names, too', () => {
  const drill = 'd'.repeat(64);
  for (const [machine, name] of [
    ['drill', drill],
    ['restore', `${drill}-scratch`],
    ['backup', `${drill}-scratch-safety`],
  ] as const) {
    expect(() => requireRunId(machine, name)).not.toThrow();
    expect(name.length).toBeLessThanOrEqual(80);
  }
  expect(() => requireRunId('drill', `${drill}x`)).toThrow(/64 characters/);
});

it('those of schedules and of one machine are right', () => {
  for (const machine of machines) {
    expect(() => requireRunId(machine, newRunId())).not.toThrow();
    expect(() => requireRunId(machine, `${'s'.repeat(40)}-hourly-d32c5kddcf5bb8c3`)).not.toThrow();
  }
});
