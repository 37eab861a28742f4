/** That the names of errors reach Retry and Catch on the emulator as on AWS (see `launch.py`), and which Node runs. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateFunctionCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { beforeAll, expect, inject, it } from 'vitest';
import { collectThrown } from '../statemachines/thrown-names.ts';
import { clientSettings } from './emulator-clients.ts';
import { cloudPython } from './python-venv.ts';

const saw = collectThrown(import.meta.filename);

const code = `
export const handler = async (input) => {
  if (input.fail === 'exit') process.kill(process.pid, 'SIGKILL');
  if (input.fail === 'sleep') await new Promise((resolve) => setTimeout(resolve, 10_000));
  if (input.fail) throw Object.assign(new Error('not now'), { name: input.fail });
  return { node: process.versions.node, region: process.env.AWS_REGION };
};
`;
const name = `holdfast-test-${process.pid}`;
const lambda = () => new LambdaClient(clientSettings());

beforeAll(async () => {
  await lambda().send(
    new CreateFunctionCommand({
      ...{ FunctionName: name, Runtime: 'nodejs24.x', Handler: 'index.handler', Timeout: 2 },
      Role: `arn:aws:iam::${inject('cloud').accountId}:role/any`,
      Code: { ZipFile: await zipOf('index.mjs', code) },
    }),
  );
});

it('runs functions on Node 24, with the Region of the client that made them', async () => {
  const { Payload } = await lambda().send(
    new InvokeCommand({ FunctionName: name, Payload: Buffer.from('{}') }),
  );
  const said = JSON.parse(Buffer.from(Payload ?? []).toString()) as Record<string, string>;
  expect(said).toMatchObject({ region: clientSettings().region });
  expect(said['node']).toMatch(/^24\./);
});

it('tells name, message and the lines of the stack of what a function throws', async () => {
  const { FunctionError, Payload } = await lambda().send(
    new InvokeCommand({ FunctionName: name, Payload: Buffer.from('{"fail":"LeaseHeldError"}') }),
  );
  expect(FunctionError).toBeDefined();
  expect(JSON.parse(Buffer.from(Payload ?? []).toString())).toMatchObject({
    errorType: 'LeaseHeldError',
    errorMessage: 'not now',
    trace: expect.arrayContaining([expect.stringContaining('not now')]),
  });
});

it.each([
  ['LeaseHeldError', 'LeaseHeldError'],
  ['exit', 'Runtime.ExitError'],
  ['sleep', 'Sandbox.Timedout'],
])('catches by name: a function that fails with %s', async (fail, caught) => {
  const sfn = new SFNClient(clientSettings());
  const account = inject('cloud').accountId;
  const { stateMachineArn } = await sfn.send(
    new CreateStateMachineCommand({
      name: `${name}-${fail}`,
      roleArn: `arn:aws:iam::${account}:role/any`,
      definition: JSON.stringify({
        StartAt: 'Work',
        States: {
          Work: {
            Type: 'Task',
            Resource: `arn:aws:lambda:${clientSettings().region}:${account}:function:${name}`,
            Catch: [{ ErrorEquals: [caught], Next: 'Caught' }],
            End: true,
          },
          Caught: { Type: 'Pass', End: true },
        },
      }),
    }),
  );
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn, input: JSON.stringify({ fail }) }),
  );
  const run = async () => sfn.send(new DescribeExecutionCommand({ executionArn }));
  await expect.poll(async () => (await run()).status, { timeout: 20_000 }).toBe('SUCCEEDED');
  const { Error: error } = JSON.parse((await run()).output ?? '{}');
  expect(error).toBe(caught);
  saw(error);
});

async function zipOf(file: string, content: string): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-zip-'));
  try {
    await writeFile(join(folder, file), content);
    const args = ['-m', 'zipfile', '-c', 'out.zip', file];
    await promisify(execFile)(await cloudPython(), args, { cwd: folder });
    return await readFile(join(folder, 'out.zip'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
