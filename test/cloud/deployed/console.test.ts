/** What the console shows of real executions: every state in order, small inputs and outputs, errors too, and where to go on. */
import {
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  type HistoryEvent,
} from '@aws-sdk/client-sfn';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { MachineName } from '../../../core/contract/names.ts';
import type { Machine } from '../../statemachines/definition.ts';
import { statesOf } from '../../statemachines/definition.ts';
import { primaryRegion } from '../emulator-clients.ts';
import { clientsIn, ended, fillShop, names, primary, quick, start, succeeded } from './harness.ts';

vi.setConfig({ hookTimeout: 900_000 });
const { sfn } = clientsIn(primaryRegion);
/** Three screens of the console. */
const bytesAtMost = 8_000;

async function historyOf(executionArn: string): Promise<HistoryEvent[]> {
  const all: HistoryEvent[] = [];
  let nextToken: string | undefined;
  do {
    const page = await sfn.send(
      new GetExecutionHistoryCommand({
        ...{ executionArn, maxResults: 1_000 },
        ...(nextToken !== undefined && { nextToken }),
      }),
    );
    all.push(...(page.events ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return all;
}

/** Every text that the console shows of an event: inputs, outputs, errors with their causes. */
const textsOf = (event: HistoryEvent): string[] =>
  Object.values(event).flatMap((details) =>
    details !== null && typeof details === 'object' && !(details instanceof Date)
      ? ['input', 'output', 'parameters', 'cause', 'error']
          .map((field) => (details as Record<string, unknown>)[field])
          .filter((text): text is string => typeof text === 'string')
      : [],
  );

const enteredIn = (history: readonly HistoryEvent[]): string[] =>
  history.flatMap(({ stateEnteredEventDetails: entered }) => entered?.name ?? []);

const choice = { source: 'shop' };
const requests = {
  backup: { source: 'shop', options: quick },
  restore: {
    ...{ target: 'scratch', mode: 'swap', database: 'shop', choice },
    options: { pollSeconds: 1 },
  },
  drill: { target: 'scratch', choice, options: { pollSeconds: 1 } },
} as const;
const executions = new Map<MachineName, string>();
const outputs = new Map<MachineName, Record<string, unknown>>();
beforeAll(async () => {
  await fillShop();
  for (const machine of ['backup', 'restore', 'drill'] as const) {
    const executionArn = await start(machine, requests[machine]);
    outputs.set(machine, await succeeded(executionArn));
    executions.set(machine, executionArn);
  }
});
const arnOf = (machine: MachineName): string => executions.get(machine) ?? '';

describe.each(['backup', 'restore', 'drill'] as const)('an execution of %s', (machine) => {
  test('has a comment at every state, as deployed', async () => {
    const { definition = '' } = await sfn.send(
      new DescribeStateMachineCommand({ stateMachineArn: names.machineArn(machine, primary()) }),
    );
    for (const { name, state } of statesOf(JSON.parse(definition) as Machine)) {
      expect(String(state['Comment'] ?? '').length, name).toBeGreaterThan(20);
    }
  });

  test('shows inputs and outputs that a person reads', async () => {
    const history = await historyOf(arnOf(machine));
    expect(enteredIn(history).length).toBeGreaterThan(4);
    for (const event of history) {
      for (const text of textsOf(event)) {
        expect(Buffer.byteLength(text), `${event.type}: ${text}`).toBeLessThan(bytesAtMost);
      }
    }
  });
});

test('the output says where the rest is: the manifest of a backup, the page of a restore and of a drill', () => {
  const { backupId } = outputs.get('backup') ?? {};
  expect(outputs.get('backup')).toMatchObject({
    vault: `s3://${names.vaultBucket(primary())}`,
    manifest: `backups/shop/${backupId}/manifest.json`,
  });
  for (const machine of ['restore', 'drill'] as const) {
    const { runId, page } = outputs.get(machine) ?? {};
    const folder = `s3://${names.workspaceBucket(primary())}/restores/${runId}`;
    expect(page).toBe(`${folder}/report.html`);
  }
});

test.each([
  ['restore', 'backup', 'safety'],
  ['drill', 'restore', 'scratch'],
] as const)('%s names the execution of %s that it started', async (machine, child, suffix) => {
  const parent = arnOf(machine);
  const arn = `${parent.replace(`-${machine}:`, `-${child}:`)}-${suffix}`;
  const history = await historyOf(parent);
  expect(history.flatMap(textsOf).join()).toContain(arn);
  const [first] = await historyOf(arn);
  expect(first?.executionStartedEventDetails?.input).toContain(
    `"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": "${parent}"`,
  );
});

test('what failed is told in as few words', async () => {
  const wrong = { target: 'scratch', mode: 'new', database: 'postgres', choice };
  const executionArn = await start('restore', wrong);
  expect(await ended(executionArn)).toMatchObject({ error: 'PreflightFailedError' });
  const history = await historyOf(executionArn);
  expect(enteredIn(history)).toEqual(['PlanRestore', 'FailUnplanned', 'FailRestore', 'Failed']);
  for (const text of history.flatMap(textsOf)) {
    expect(Buffer.byteLength(text), text).toBeLessThan(bytesAtMost);
  }
});
