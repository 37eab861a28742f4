/** One emulator, two PostgreSQL servers and one deployment for all tests of this folder. */
import { chownSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { TestProject } from 'vitest/node';
import { makeCertificates } from '../../support/certificates.ts';
import { startServer } from '../../support/postgres.ts';
import { type EmulatorOptions, startEmulator } from '../emulator.ts';
import { primaryRegion, replicaRegion } from '../emulator-clients.ts';
import { type Deployed, deploy } from './deploy.ts';
import { secretNames, writeEnvironment } from './environment.ts';

declare module 'vitest' {
  interface ProvidedContext {
    deployed: Deployed;
    /** The folder with the file of the environment. */
    environments: string;
    servers: { readonly primary: TestServer; readonly replica: TestServer };
  }
}

export interface TestServer {
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export default (project: TestProject) => setUp(project);

/** @returns what takes it all down */
export async function setUp(
  project: TestProject,
  options: EmulatorOptions = {},
): Promise<() => Promise<void>> {
  const cleanUps: (() => Promise<unknown>)[] = [];
  const cleanUp = async () => {
    for (const one of cleanUps.reverse()) await one().catch((error) => console.error(error));
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-deployed-'));
    cleanUps.push(() => rm(folder, { recursive: true, force: true }));
    const emulator = await startEmulator(options);
    const { endpoint, accountId, env, closedRegionsFile, faultsFile, processGroup } = emulator;
    cleanUps.push(() => emulator.stop());
    project.provide('cloud', {
      ...{ endpoint, accountId, env },
      ...{ closedRegionsFile, faultsFile, processGroup },
    });
    const settings = (region: string) => ({
      region,
      endpoint,
      credentials: {
        accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
        secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
      },
    });

    // One, as that of Amazon RDS: after a failover a source is found at the other server, under the same name.
    const authority = makeCertificates('localhost');
    const [primary, replica] = await Promise.all([tlsServer(authority), tlsServer(authority)]);
    cleanUps.push(
      () => primary.stop(),
      () => replica.stop(),
    );
    for (const [name, region, server] of [
      [secretNames.shop, primaryRegion, primary],
      [secretNames.restore, primaryRegion, primary],
      [secretNames.exercise, replicaRegion, replica],
    ] as const) {
      const { port, user: username, password } = server;
      const SecretString = JSON.stringify({
        ...{ engine: 'postgres', host: 'localhost', port, username, password },
        dbname: name === secretNames.shop ? 'shop' : 'postgres',
      });
      const secrets = new SecretsManagerClient(settings(region));
      await secrets.send(new CreateSecretCommand({ Name: name, SecretString })).catch((error) => {
        // Of an earlier run, on an emulator that lives longer than one.
        if (!(error instanceof ResourceExistsException)) throw error;
        return secrets.send(new PutSecretValueCommand({ SecretId: name, SecretString }));
      });
    }
    const environments = await writeEnvironment(folder, accountId, { primary, replica });
    const deployed = await deploy(
      { settings, account: accountId, env },
      { environments, output: join(folder, 'cdk.out') },
    ).catch((error: Error) => {
      throw new Error(`${error.message}\nThe emulator's log ends with:\n${emulator.logTail(80)}`);
    });
    console.log(`deployed and read back: ${JSON.stringify(deployed.seconds)}`);
    project.provide('deployed', deployed);
    project.provide('environments', environments);
    const facts = ({ port, user, password }: TestServer) => ({ port, user, password });
    project.provide('servers', { primary: facts(primary), replica: facts(replica) });
    return async () => {
      if (project.vitest.state.getCountOfFailedTests() > 0) {
        console.error(`The log of the emulator ends with:\n${emulator.logTail(60)}`);
      }
      await cleanUp();
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

async function tlsServer({ root: ca, certificate, key }: ReturnType<typeof makeCertificates>) {
  const server = await startServer({
    settings: ['ssl=on', 'ssl_cert_file=server.crt', 'ssl_key_file=server.key'],
    prepare(folder, owner) {
      for (const [name, text] of Object.entries({ 'server.crt': certificate, 'server.key': key })) {
        writeFileSync(join(folder, name), text, { mode: 0o600 });
        if (owner !== undefined) chownSync(join(folder, name), owner.uid, owner.gid);
      }
    },
  });
  return { ...server, ca };
}
