/** An environment's parameters and secrets on the emulator, and connections made from them. */
import { randomBytes } from 'node:crypto';
import { RDSClient } from '@aws-sdk/client-rds';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { inject } from 'vitest';
import { type Connections, makeConnectionOf } from '../../aws/connection/connection-of.ts';
import { namesOf } from '../../core/contract/names.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { openSession } from '../../core/postgres/session.ts';

export const region = 'eu-central-1';

export function clientConfig() {
  const { env } = inject('cloud');
  return {
    region,
    endpoint: env['AWS_ENDPOINT_URL'] ?? '',
    credentials: {
      accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  };
}

export interface CloudEnvironment extends Connections {
  readonly name: string;
  readonly ssm: SSMClient;
  readonly secrets: SecretsManagerClient;
  readonly rds: RDSClient;
  /** Writes the parameter as the stacks would. */
  source(name: string, connection: object): Promise<void>;
  target(name: string, connection: object): Promise<void>;
  parameter(name: string, value: string): Promise<void>;
  /** @returns the name of a new secret */
  secret(value: object | string): Promise<string>;
  /** Connections that remember nothing yet. */
  fresh(): Connections;
}

export function cloudEnvironment(): CloudEnvironment {
  const name = `t${randomBytes(4).toString('hex')}`;
  const names = namesOf(name);
  const ssm = new SSMClient(clientConfig());
  const secrets = new SecretsManagerClient(clientConfig());
  const rds = new RDSClient(clientConfig());
  const fresh = () => makeConnectionOf({ ssm, secrets, rds, region, environment: name });
  const parameter = async (Name: string, Value: string) => {
    await ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', Overwrite: true }));
  };
  return {
    name,
    ssm,
    secrets,
    rds,
    parameter,
    fresh,
    ...fresh(),
    source: (source, connection) =>
      parameter(
        names.sourceParameter(source),
        JSON.stringify({ name: source, connection, lockMode: 'GOVERNANCE' }),
      ),
    target: (target, connection) =>
      parameter(names.targetParameter(target), JSON.stringify({ name: target, connection })),
    async secret(value) {
      const SecretString = typeof value === 'string' ? value : JSON.stringify(value);
      const Name = `${name}/${randomBytes(4).toString('hex')}`;
      await secrets.send(new CreateSecretCommand({ Name, SecretString }));
      return Name;
    },
  };
}

/** Who and where we are, as the server says. */
export async function whoami(settings: ConnectionSettings) {
  await using session = await openSession(settings, { applicationName: 't', purpose: 'control' });
  const [row] = await session.query(
    'SELECT current_user AS user, current_database() AS database, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
  );
  return row;
}
