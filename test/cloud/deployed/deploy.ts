/**
 * `cdk bootstrap` and `cdk deploy` of everything, in two Regions, from nothing; then the read-back gate, which puts in
 * place what the emulator is known to drop.
 */
import { tmpdir } from 'node:os';
import { CloudFormationClient, paginateListStacks } from '@aws-sdk/client-cloudformation';
import { primaryRegion, replicaRegion } from '../emulator-clients.ts';
import { type ResourceFinding, readBack, readOutputs, readStack } from '../read-back/gate.ts';
import { knownDropOf } from '../read-back/known-drops.ts';
import { cdk } from './cdk.ts';
import { type ClientBase, clientsOf } from './clients.ts';
import { environmentName } from './environment.ts';

export interface Deployed {
  readonly resources: number;
  readonly leaves: number;
  /** As found right after the deployment, before anything was put in place. */
  readonly findings: readonly ResourceFinding[];
  readonly seconds: Readonly<Record<string, number>>;
}

export async function deploy(
  base: ClientBase & { readonly account: string; readonly env: Readonly<Record<string, string>> },
  { environments, output }: { readonly environments: string; readonly output: string },
): Promise<Deployed> {
  const seconds: Record<string, number> = {};
  const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const begin = performance.now();
    try {
      return await work();
    } finally {
      seconds[what] = Math.round((performance.now() - begin) / 100) / 10;
    }
  };
  const context = ['-c', `env=${environmentName}`, '-c', `environments=${environments}`];
  const app = ['--app', `${process.execPath} test/cloud/deployed/app.ts`, '--output', output];
  const env = { ...base.env, AWS_REGION: primaryRegion };
  const places = [primaryRegion, replicaRegion].map((region) => `aws://${base.account}/${region}`);
  // Away from cdk.json: what a bootstrap makes has nothing to do with our app.
  await timed('bootstrap', () =>
    cdk(['bootstrap', ...places, '--output', output], { env, timeoutSeconds: 600, cwd: tmpdir() }),
  );
  await timed('deploy', () =>
    cdk(
      ['deploy', '--all', '--require-approval', 'never', '--concurrency', '4', ...app, ...context],
      {
        env,
        timeoutSeconds: 1_200,
      },
    ),
  );
  return timed('read back', async () => ({ ...(await gate(base)), seconds }));
}

/** All stacks of the environment, read back; what is known to be dropped is put in place. */
async function gate(base: ClientBase & { readonly account: string }) {
  const findings: ResourceFinding[] = [];
  let resources = 0;
  let leaves = 0;
  const regions = [primaryRegion, replicaRegion].map((region) => ({
    region,
    cloudFormation: new CloudFormationClient(base.settings(region)),
    clients: clientsOf(base, region),
  }));
  const outputs = new Map(
    (await Promise.all(regions.map((it) => readOutputs(it.cloudFormation, it.region)))).flat(),
  );
  for (const { region, cloudFormation, clients } of regions) {
    for (const name of await stackNames(cloudFormation)) {
      const stack = await readStack(
        cloudFormation,
        name,
        { region, account: base.account },
        outputs,
      );
      const result = await readBack(stack, clients);
      resources += result.resources;
      leaves += result.leaves;
      findings.push(...result.findings);
      const puts = new Map(result.findings.map((one) => [`${one.logicalId} ${one.property}`, one]));
      for (const one of puts.values()) {
        await knownDropOf(one)?.put?.(clients, one.physicalId, one.wanted as never, one.properties);
      }
    }
  }
  return { resources, leaves, findings };
}

/** What is left when the gate looks again. */
export const readBackAgain = async (
  base: ClientBase & { readonly account: string },
): Promise<readonly ResourceFinding[]> => (await gate(base)).findings;

async function stackNames(cloudFormation: CloudFormationClient): Promise<string[]> {
  const names: string[] = [];
  for await (const page of paginateListStacks({ client: cloudFormation }, {})) {
    for (const { StackName = '', StackStatus } of page.StackSummaries ?? []) {
      if (
        StackName.startsWith(`Holdfast-${environmentName}-`) &&
        StackStatus !== 'DELETE_COMPLETE'
      ) {
        names.push(StackName);
      }
    }
  }
  return names.sort();
}
