/** What hangs on the database that a swap put aside: it is named, with the statements that take it away, and kept. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { cutover } from '../../core/restore/cutover.ts';
import { discardPrevious } from '../../core/restore/rollback.ts';
import { releaseTargetLease } from '../../core/restore/target-lease.ts';
import { type CutoverHarness, makeCutoverHarness, standingSwap } from './cutover-harness.ts';
import { databases, onServer, unique } from './shared-server.ts';

let harness: CutoverHarness;
let run: Awaited<ReturnType<typeof standingSwap>>;

beforeAll(async () => {
  harness = await makeCutoverHarness('discard');
});
beforeEach(async () => {
  run = await standingSwap(harness, unique('put_aside'));
});
afterAll(() => harness?.[Symbol.asyncDispose]());

async function swap(): Promise<void> {
  await cutover(harness.deps, { runId: run.runId });
  await releaseTargetLease(harness.deps, run);
}

const discarding = () => discardPrevious(harness.deps, run.runId);
const isKept = async () => (await databases([run.previousDatabase])).length === 1;

test('a template is told, and dropped once it is none any more', async () => {
  await swap();
  await onServer('postgres', `ALTER DATABASE ${run.previousDatabase} IS_TEMPLATE true`);
  const mend = `ALTER DATABASE "${run.previousDatabase}" IS_TEMPLATE false;`;
  await expect(discarding()).rejects.toMatchObject({
    name: 'TargetInUseError',
    message: expect.stringContaining(run.previousDatabase),
    hint: `${mend} Then do this again.`,
  });
  expect(await isKept()).toBe(true);
  await onServer('postgres', mend);
  await discarding();
  expect(await isKept()).toBe(false);
});

test('a subscription is told, with how to open the database and drop it', async () => {
  const name = unique('following');
  await onServer(
    run.finalDatabase,
    `CREATE SUBSCRIPTION ${name} CONNECTION 'host=nowhere.invalid' PUBLICATION p WITH (connect = false)`,
  );
  await swap();
  const open = `ALTER DATABASE "${run.previousDatabase}" ALLOW_CONNECTIONS true;`;
  const disable = `ALTER SUBSCRIPTION "${name}" DISABLE;`;
  const drop = `DROP SUBSCRIPTION "${name}";`;
  try {
    await expect(discarding()).rejects.toMatchObject({
      name: 'TargetInUseError',
      message: expect.stringContaining(`subscription "${name}"`),
      hint: expect.stringContaining(`${open} and connected to it: ${disable} ${drop}`),
    });
    expect(await isKept()).toBe(true);
  } finally {
    await onServer('postgres', open);
    const leaveSlot = `ALTER SUBSCRIPTION "${name}" SET (slot_name = NONE)`;
    for (const sql of [disable, leaveSlot, drop]) await onServer(run.previousDatabase, sql);
  }
  await discarding();
  expect(await isKept()).toBe(false);
});
