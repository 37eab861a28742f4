/**
 * What the documents say about AWS, from the documents themselves: every command of the README, docs/deploy.md and
 * docs/disaster-recovery.md that needs a deployment, with the AWS CLI, the CDK CLI and ours. What needs none is in test/docs/.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { DescribeKeyCommand, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { ListSchedulesCommand } from '@aws-sdk/client-scheduler';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { environmentSchema } from '../../../core/contract/environment.ts';
import {
  type Block,
  executedDocuments,
  root,
  sectionsOn,
  withValues,
} from '../../docs/document.ts';
import { openShell } from '../../docs/shell.ts';
import { temporaryFolders } from '../../support/temporary-folder.ts';
import { awsCli } from '../aws-cli.ts';
import { clientSettings, primaryRegion, replicaRegion } from '../emulator-clients.ts';
import { makeDoctorsInstance } from './doctors-instance.ts';
import { environmentName, secretNames } from './environment.ts';
import {
  base,
  clientsIn,
  closeRegion,
  connectTo,
  contentOf,
  fillShop,
  names,
  openRegions,
  quick,
  start,
  succeeded,
} from './harness.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

type Document = (typeof executedDocuments)[number];

interface Scenario {
  /** What has happened before the n-th block of the section. */
  readonly before?: Readonly<Record<number, () => Promise<unknown>>>;
  readonly after?: (output: string) => Promise<unknown>;
  /** Other values than the others', by the names in the document. */
  readonly values?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

const folders = temporaryFolders();
let folder: string;
let values: Record<string, string>;
let programs: Record<string, string>;
let source: Awaited<ReturnType<typeof contentOf>>;

const ourOwnFile = () => join(folder, 'environments', `${environmentName}.json`);

/** A reader of the page writes into the file what is his. */
const writeOwn = () => cp(join(inject('environments'), `${environmentName}.json`), ourOwnFile());

beforeAll(async () => {
  folder = await folders();
  await mkdir(join(folder, 'environments'));
  await cp(join(root, 'environments/example.json'), join(folder, 'environments/example.json'));
  await writeOwn();
  const { instance, functionGroup } = await makeDoctorsInstance();
  values = {
    DEPLOYMENT: environmentName,
    ACCOUNT: base().account,
    AWS_REGION: primaryRegion,
    REPLICA_REGION: replicaRegion,
  };
  ownValues['docs/deploy.md'] = {
    REPLICA_ACCOUNT: '444455556666',
    DB_INSTANCE: instance,
    FUNCTION_GROUP: functionGroup,
  };
  ownValues['docs/disaster-recovery.md'] = {
    // Every scenario begins when all is well still.
    get GOOD() {
      return new Date().toISOString();
    },
  };
  const [python, aws] = await awsCli();
  programs = { aws: `exec '${python}' '${aws}' "$@"`, cdk: cdkProgram() };
  await secretInReplica(secretNames.shop, 'replica', 'shop');
  await secretInReplica(secretNames.home, 'primary', 'postgres');
  await fillShop();
  source = await contentOf('primary', 'shop');
});

const ownValues: Partial<Record<Document, Record<string, string>>> = {};

/** The real one, over the app that reads environments of a test, from the assembly of the deployment where that will do. */
function cdkProgram(): string {
  const app = `${process.execPath} test/cloud/deployed/app.ts`;
  const made = join(dirname(inject('environments')), 'cdk.out');
  const context = `-c environments='${join(folder, 'environments')}'`;
  const cdk = `exec '${process.execPath}' '${join(root, 'node_modules/aws-cdk/bin/cdk')}' "$@"`;
  return `cd '${root}' && export CI=true CDK_DISABLE_VERSION_CHECK=1
case "$1 $DEPLOYMENT" in
  synth*|"destroy other") ${cdk} --app '${app}' ${context} --output '${join(folder, 'cdk.out')}' ;;
  bootstrap*) cd '${folder}' && ${cdk} --output '${join(folder, 'cdk.out')}' ;;
  *) ${cdk} --app '${made}' ;;
esac`;
}

async function secretInReplica(
  name: string,
  which: 'primary' | 'replica',
  dbname: string,
): Promise<void> {
  const { port, user: username, password } = inject('servers')[which];
  await new SecretsManagerClient(clientSettings(replicaRegion)).send(
    new CreateSecretCommand({
      Name: name,
      SecretString: JSON.stringify({ host: 'localhost', port, username, password, dbname }),
    }),
  );
}

async function onServer(which: 'primary' | 'replica', database: string, sql: string) {
  const client = await connectTo(which, database);
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const databaseNames = async (): Promise<string[]> =>
  (await onServer('primary', 'postgres', 'SELECT datname FROM pg_database')).map(({ datname }) =>
    String(datname),
  );

/**
 * SQL of a document, at the primary's server; `…` in a name of a database is what that one is called here.
 *
 * @param earlier databases that were there before the section: other files may have left one of a swap of theirs
 */
async function runSql({ text }: Block, earlier: readonly string[]): Promise<string> {
  const made = (await databaseNames()).filter((name) => !earlier.includes(name));
  const sql = text.replace(/"(\w+_)…"/g, (_, begin: string) => {
    const found = made.filter((name) => name.startsWith(begin));
    expect(found).toHaveLength(1);
    return `"${found[0]}"`;
  });
  for (const statement of sql.split(/;.*\n?/).filter((it) => it.trim() !== '')) {
    await onServer('primary', 'postgres', statement);
  }
  return '';
}

const dropAtPrimary = async (like: string) => {
  const sql = `SELECT datname FROM pg_database WHERE datname LIKE '${like}'`;
  for (const { datname } of await onServer('primary', 'postgres', sql)) {
    await onServer('primary', 'postgres', `DROP DATABASE "${datname}" WITH (FORCE)`);
  }
};

const encryptionKey = `alias/holdfast-${environmentName}-encryption`;

async function stateOfEncryptionKey(): Promise<string | undefined> {
  const { kms } = clientsIn(primaryRegion);
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: encryptionKey }));
  return KeyMetadata?.KeyState;
}

/** Somebody with all rights; KMS waits before it does so. */
async function deleteEncryptionKey(): Promise<void> {
  const { kms } = clientsIn(primaryRegion);
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: encryptionKey }));
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: KeyMetadata?.KeyId }));
  expect(await stateOfEncryptionKey()).not.toBe('Enabled');
}

const schedulesInReplica = async () => {
  const { scheduler } = clientsIn(replicaRegion);
  const { Schedules = [] } = await scheduler.send(
    new ListSchedulesCommand({ GroupName: names.scheduleGroup, NamePrefix: 'shop-' }),
  );
  return Schedules.map(({ State }) => State);
};

/** The one of the account. */
async function makeTrail(): Promise<void> {
  const [python, aws] = await awsCli();
  const words = ['cloudtrail', 'create-trail', '--name', 'account', '--s3-bucket-name', 'logs'];
  await promisify(execFile)(python, [aws, ...words, '--region', primaryRegion], {
    env: { ...process.env, ...base().env },
  });
}

const scenarios: Readonly<Record<Document, Readonly<Record<string, Scenario>>>> = {
  'README.md': { 'On AWS': {} },
  'docs/deploy.md': {
    '': {},
    '2. The database user': {},
    // Ours are there already: a Region in which nobody has any.
    '3. Secret or IAM': {
      values: { AWS_REGION: 'eu-north-1', REPLICA_REGION: 'eu-north-1' },
      before: {
        1: async () => {
          const { sources } = JSON.parse(await readFile(ourOwnFile(), 'utf8'));
          await writeFile(join(folder, 'ca.pem'), sources[0].connection.tls.ca);
        },
      },
    },
    "4. The environment's file": {},
    '5. Bootstrap and deploy': {},
    '6. Confirm the e-mail': { before: { 0: makeTrail } },
    '7. Pin the signing key': {
      after: async (output) => {
        const pins = output.split('\n').filter((it) => it.startsWith('"'));
        const text = (await readFile(ourOwnFile(), 'utf8')).replace(
          '"sources"',
          `${pins.join('\n')}$&`,
        );
        const { data, error } = environmentSchema.safeParse(JSON.parse(text));
        expect(error).toBeUndefined();
        expect(data?.signingPublicKeys).toHaveLength(1);
        expect(data?.encryptionKeyId).toMatch(/^mrk-/);
      },
    },
    '8. The first backup': {},
    '9. Prove it: a drill': {},
    '10. Restore': {
      before: { 0: () => onServer('primary', 'shop', 'DROP TABLE orders CASCADE') },
      after: async () => {
        // The swap was taken back: the database is the one into which the table was restored.
        expect((await contentOf('primary', 'shop')).orders).toEqual(source.orders);
        await dropAtPrimary('shop\\_%');
        await fillShop();
      },
    },
    '11. With the primary Region gone': {},
    Upgrade: {},
    'A second account for the replica': { env: { AWS_ACCESS_KEY_ID: '444455556666' } },
    // Everything is needed still: an environment of another name, of which nothing is there.
    'Teardown that keeps vaults': {
      values: { DEPLOYMENT: 'other' },
      before: {
        0: async () => {
          const environment = JSON.parse(await readFile(ourOwnFile(), 'utf8'));
          const file = join(folder, 'environments/other.json');
          await writeFile(file, JSON.stringify({ ...environment, name: 'other' }));
        },
      },
    },
  },
  'docs/disaster-recovery.md': {
    Values: {},
    'Look at what there is': {},
    'Keep the damage': {},
    'Region lost': {
      before: {
        0: async () => {
          await onServer('replica', 'postgres', 'DROP DATABASE IF EXISTS shop WITH (FORCE)');
          const backup = await succeeded(await start('backup', { source: 'shop', options: quick }));
          expect(backup).toMatchObject({ replica: 'replicated' });
          await closeRegion(primaryRegion);
        },
      },
      after: async () => {
        expect(await contentOf('replica', 'shop')).toEqual(source);
        expect(await schedulesInReplica()).toEqual(['ENABLED', 'ENABLED']);
      },
    },
    'Failback to the primary Region': {
      before: {
        0: () =>
          onServer('replica', 'shop', `UPDATE customer SET name = 'written away' WHERE id = 7`),
      },
      after: async () => {
        const home = await contentOf('primary', 'shop');
        expect(home).toEqual(await contentOf('replica', 'shop'));
        expect(home.customer).not.toEqual(source.customer);
        expect(await schedulesInReplica()).toEqual(['DISABLED', 'DISABLED']);
        await dropAtPrimary('shop\\_before%');
        await fillShop();
        await succeeded(await start('backup', { source: 'shop', options: quick }));
      },
    },
    'Database corrupt': {
      after: async () => {
        expect(await contentOf('primary', 'shop_sound')).toEqual(source);
        await dropAtPrimary('shop\\_sound');
      },
    },
    'Rows or a table gone': {
      before: {
        0: async () => {
          await onServer('primary', 'shop', 'DROP TABLE orders CASCADE');
          // A schedule does not wait: what is `latest` now has the damage.
          await succeeded(await start('backup', { source: 'shop', options: quick }));
        },
        1: async () => {
          expect((await contentOf('primary', 'shop')).orders).toEqual(source.orders);
          // All of them have orders: somebody has switched that off.
          const off = 'SET session_replication_role = replica';
          await onServer('primary', 'shop', `${off}; DELETE FROM customer WHERE id > 450`);
        },
        2: async () => {
          expect(await contentOf('primary', 'shop')).toEqual({ ...source, busy: null });
          await onServer('primary', 'shop', `UPDATE customer SET name = 'gone' WHERE id <= 10`);
        },
      },
      after: async () => {
        // The view fell with the table; it is named, and not made again.
        expect(await contentOf('primary', 'shop')).toEqual({ ...source, busy: null });
        await fillShop();
        await succeeded(await start('backup', { source: 'shop', options: quick }));
      },
    },
    'Failed migration': {
      before: { 0: () => onServer('primary', 'shop', 'DELETE FROM orders') },
      after: async () => {
        expect(await contentOf('primary', 'shop')).toEqual(source);
        await dropAtPrimary('shop\\_before%');
        await fillShop();
      },
    },
    'Ransomware or a compromised account': {
      before: { 1: deleteEncryptionKey },
      after: async () => expect(await stateOfEncryptionKey()).toBe('Enabled'),
    },
  },
};

for (const document of executedDocuments) {
  const sections = sectionsOn(document, 'aws');

  test(`${document}: every section with commands for AWS has its scenario here`, () => {
    expect([...sections.keys()]).toEqual(Object.keys(scenarios[document]));
  });

  describe(document, () => {
    const [valuesBlock] = [...sections.values()].flat() as [Block];
    for (const [section, blocks] of sections) {
      const commands = blocks.filter((block) => block !== valuesBlock);
      if (commands.length === 0) continue;
      test(section, async () => {
        const { before = {}, after, values: own, env } = scenarios[document][section] ?? {};
        const shell = await openShell({
          folder,
          env: { HOME: folder, ...base().env, ...env },
          programs,
          timeoutSeconds: 400,
        });
        await shell.run(withValues(valuesBlock, { ...values, ...ownValues[document], ...own }));
        const earlier = await databaseNames();
        let output = '';
        try {
          for (const [at, block] of commands.entries()) {
            await before[at]?.();
            output +=
              block.language === 'sql' ? await runSql(block, earlier) : await shell.run(block);
            // The example of the page is nobody's environment: a reader writes his.
            if (block.text.startsWith('cp environments/example.json')) await writeOwn();
          }
        } finally {
          await openRegions();
        }
        await after?.(output);
      });
    }
  });
}
