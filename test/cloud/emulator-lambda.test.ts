/** That the names of errors reach Retry and Catch on the emulator as on AWS (see `launch.py`), and which Node runs. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateFunctionCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { definitions, type State } from '../statemachines/definition.ts';
import { collectThrown } from '../statemachines/thrown-names.ts';
import { attemptsOf } from './attempts.ts';
import { clientSettings } from './emulator-clients.ts';
import { isOurs, onlyOurs } from './own-emulator.ts';
import { cloudPython } from './python-venv.ts';

const saw = collectThrown(import.meta.filename, isOurs);

const code = `
export const handler = async (input) => {
  if (input.fail === 'exit') process.kill(process.pid, 'SIGKILL');
  if (input.fail === 'sleep') await new Promise((resolve) => setTimeout(resolve, 10_000));
  if (input.fail === 'allocate' && input.tries === 0) {
    // Not without end, should nobody end it.
    const taken = [];
    while (taken.length < 16) taken.push(Buffer.alloc(16 << 20, 1));
    await new Promise((resolve) => setTimeout(resolve, input.keepsMs));
    return { takenMb: taken.length * 16 };
  }
  for (let line = 1; line <= (input.lines ?? 0); line += 1) console.log(\`\${input.call}: \${line}\`);
  if (input.fail && input.fail !== 'allocate') throw Object.assign(new Error('not now'), { name: input.fail });
  return { node: process.versions.node, region: process.env.AWS_REGION };
};
`;
const name = `holdfast-test-${process.pid}`;
/** Of enough time to take memory, on a machine that is at work too. */
const small = `${name}-small`;
const keepsMs = 10_000;
/** A state that calls the function. */
const work = { Type: 'Task', End: true };
const lambda = () => new LambdaClient(clientSettings());

beforeAll(async () => {
  await makeFunction({ FunctionName: name, MemorySize: 128, Timeout: 2 });
  await makeFunction({ FunctionName: small, MemorySize: 128, Timeout: 60 });
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

it('keeps every line that a call writes with that call, its last one too', async () => {
  const logs = new CloudWatchLogsClient(clientSettings());
  const logGroupName = `/aws/lambda/${small}`;
  const lines = 3;
  // Side by side: then whoever reads is late, and must not take silence for the end.
  const work = async (who: number) => {
    for (let nth = 1; nth <= 10; nth += 1) {
      const call = `call ${who}.${nth}`;
      const Payload = JSON.stringify({ call, lines });
      await lambda().send(new InvokeCommand({ FunctionName: small, Payload }));
      // Not a moment later: what is told with an answer is there with it.
      const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName }));
      const own = events.filter(({ message }) => message?.startsWith(`${call}: `));
      expect(own.at(-1)?.message).toBe(`${call}: ${lines}`);
      expect(own).toHaveLength(lines);
      expect(new Set(own.map(({ logStreamName }) => logStreamName)).size).toBe(1);
    }
  };
  await Promise.all([1, 2, 3, 4].map(work));
});

it.each([
  ['LeaseHeldError', 'LeaseHeldError'],
  ['exit', 'Runtime.ExitError'],
  ['sleep', 'Sandbox.Timedout'],
])('catches by name: a function that fails with %s', async (fail, caught) => {
  const { output } = await run(
    fail,
    { fail },
    {
      Work: {
        ...work,
        Catch: [{ ErrorEquals: [caught], Next: 'Caught' }],
      },
      Caught: { Type: 'Pass', End: true },
    },
  );
  expect(output.Error).toBe(caught);
  saw(output.Error);
});

describe.skipIf(!isOurs)(`memory${onlyOurs('who knows whether it limits that')}`, () => {
  /** The rules by which every state of ours tries again. */
  const { Retry = [] } = definitions()
    .filter(({ name }) => name === 'backup.asl.json')
    .map(({ machine }) => machine.States.Plan)[0] as State;
  const Parameters = { fail: 'allocate', keepsMs, 'tries.$': '$$.State.RetryCount' };

  it('above what a function has ends it, and it is tried again by the rule of our machines', async () => {
    const { output, attempts } = await run(
      'allocates',
      {},
      { Work: { ...work, Parameters, Retry } },
      small,
    );
    expect(output).toHaveProperty('node');
    expect(attempts).toEqual(['Runtime.OutOfMemory', 'succeeded']);
    saw(...attempts);
  });

  it('that is too much for one function is not for another, which has more', async () => {
    const FunctionName = `${name}-roomy`;
    await makeFunction({ FunctionName, MemorySize: 512, Timeout: 60 });
    // Longer than between two looks.
    const Payload = Buffer.from('{"fail":"allocate","tries":0,"keepsMs":500}');
    const told = await lambda().send(new InvokeCommand({ FunctionName, Payload }));
    expect(JSON.parse(Buffer.from(told.Payload ?? []).toString())).toEqual({ takenMb: 256 });
  });

  it('is told in the words of AWS', async () => {
    const Payload = Buffer.from(JSON.stringify({ fail: 'allocate', tries: 0, keepsMs }));
    const told = await lambda().send(new InvokeCommand({ FunctionName: small, Payload }));
    expect(told.FunctionError).toBeDefined();
    expect(JSON.parse(Buffer.from(told.Payload ?? []).toString())).toEqual({
      errorType: 'Runtime.OutOfMemory',
      errorMessage: expect.stringMatching(
        /^RequestId: [\w-]+ Error: Runtime exited with error: signal: killed$/,
      ),
    });
  });
});

/** Runs a machine whose first state calls the function. @returns how it ended, and each of that state's attempts */
async function run(
  title: string,
  input: object,
  { Work, ...others }: Record<string, object>,
  functionName = name,
) {
  const sfn = new SFNClient(clientSettings());
  const account = inject('cloud').accountId;
  const Resource = `arn:aws:lambda:${clientSettings().region}:${account}:function:${functionName}`;
  const States = { Work: { ...Work, Resource }, ...others };
  const { stateMachineArn } = await sfn.send(
    new CreateStateMachineCommand({
      name: `${name}-${title}`,
      roleArn: `arn:aws:iam::${account}:role/any`,
      definition: JSON.stringify({ StartAt: 'Work', States }),
    }),
  );
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
  );
  const described = async () => sfn.send(new DescribeExecutionCommand({ executionArn }));
  await expect.poll(async () => (await described()).status, { timeout: 60_000 }).toBe('SUCCEEDED');
  return {
    output: JSON.parse((await described()).output ?? '{}'),
    attempts: await attemptsOf(sfn, String(executionArn), Resource),
  };
}

async function makeFunction(own: { FunctionName: string; MemorySize: number; Timeout: number }) {
  await lambda().send(
    new CreateFunctionCommand({
      ...{ ...own, Runtime: 'nodejs24.x', Handler: 'index.handler' },
      Role: `arn:aws:iam::${inject('cloud').accountId}:role/any`,
      Code: { ZipFile: await zipOf('index.mjs', code) },
    }),
  );
}

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
