/** How the machines start each other, as the emulator's Step Functions run it: their own states, with a child that echoes. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { expect, it } from 'vitest';
import { definitions, type JsonObject, type State } from '../statemachines/definition.ts';
import { clientSettings, primaryRegion } from './emulator-clients.ts';

const sfn = new SFNClient(clientSettings(primaryRegion));
const create = async (name: string, definition: unknown) => {
  const roleArn = 'arn:aws:iam::123456789012:role/states';
  const command = { name, roleArn, definition: JSON.stringify(definition) };
  const { stateMachineArn } = await sfn.send(new CreateStateMachineCommand(command));
  return stateMachineArn ?? '';
};
const ended = async (executionArn = '') => {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(100)) {
    const seen = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (seen.status !== 'RUNNING') return seen;
  }
  throw new Error(`${executionArn} does not end.`);
};

it.each([
  ['restore', 'SafetyBackup', { safety: { source: 'shop', tier: 'safety' } }, 'safety'],
  ['drill', 'RestoreToScratch', { restore: { target: 'scratch' } }, 'scratch'],
] as const)(
  '%s starts %s under a name of its own, with its input and the parent that the console shows',
  async (machine, state, input, suffix) => {
    const states =
      definitions().find(({ name }) => name === `${machine}.asl.json`)?.machine.States ?? {};
    const child = await create(`child-of-${machine}`, {
      StartAt: 'Echo',
      States: { Echo: { Type: 'Pass', End: true } },
    });
    const { Resource, Parameters } = states[state] as State;
    const parameters = { ...(Parameters as JsonObject), StateMachineArn: child };
    const own = { Type: 'Task', Resource, Parameters: parameters, End: true };
    const link = `Link${state}`;
    const parent = await create(`parent-${machine}`, {
      StartAt: link,
      States: { [link]: states[link], [state]: own },
    });
    const { executionArn } = await sfn.send(
      new StartExecutionCommand({
        ...{ stateMachineArn: parent, name: 'run-1', input: JSON.stringify(input) },
      }),
    );
    expect(await ended(executionArn)).toMatchObject({ status: 'SUCCEEDED' });
    const { executions = [] } = await sfn.send(
      new ListExecutionsCommand({ stateMachineArn: child }),
    );
    expect(executions.map(({ name }) => name)).toEqual([`run-1-${suffix}`]);
    const seen = await ended(executions[0]?.executionArn);
    expect(JSON.parse(seen.input ?? '')).toEqual({
      ...Object.values(input)[0],
      AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: executionArn,
    });
  },
);
