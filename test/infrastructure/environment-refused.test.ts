import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readEnvironment } from '../../core/environment/read-environment.ts';

const text = readFileSync(join(import.meta.dirname, '../../environments/everything.json'), 'utf8');

type Change = readonly [path: string, value: unknown];

/** What is said of environments/everything.json after values in it were changed; `undefined` takes one out. */
function refusalOf(...changes: readonly Change[]): string {
  const environment = JSON.parse(text);
  for (const [path, value] of changes) {
    const keys = path.split('.');
    const last = keys.pop() as string;
    const holder = keys.reduce((part, key) => part[key], environment);
    if (value === undefined) delete holder[last];
    else holder[last] = value;
  }
  try {
    readEnvironment(JSON.stringify(environment), 'environments/everything.json', 'everything');
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
}

test('what nothing was changed in is accepted', () => {
  expect(refusalOf()).toBe('accepted');
});

test.each([
  'rds!db-0a1b2c3d-1111-2222-3333-444455556666',
  'rds!cluster-0a1b2c3d-1111-2222-3333-444455556666',
  'arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds!db-0a1b2c3d-1111-2222-3333-444455556666-AbCdEf',
])('a secret that RDS made and rotates itself is accepted: %s', (secret) => {
  expect(refusalOf(['targets.0.connection.secret', secret])).toBe('accepted');
});

test.each<readonly [string, Change, string]>([
  [
    'an account as a number',
    ['account', 111122223333],
    'account is 111122223333; allowed is a text, in quotes',
  ],
  [
    'an account id that is too short',
    ['account', '1234'],
    'account is "1234"; allowed is an account id, 12 digits in quotes',
  ],
  ['no account', ['account', undefined], 'account is missing; it is a text, in quotes'],
  [
    'a name that would not fit into names on AWS',
    ['name', 'Production'],
    'name is "Production"; allowed are 1 to 12 lower-case letters, digits and hyphens, beginning with a letter',
  ],
  [
    'a word for a Region',
    ['regions.primary', 'Frankfurt'],
    'regions.primary is "Frankfurt"; allowed is a Region, as eu-central-1',
  ],
  [
    'a Region of GovCloud, whose ARNs are other ones',
    ['regions.primary', 'us-gov-west-1'],
    'regions.primary is "us-gov-west-1"; allowed is a Region of the partition aws: not of China, GovCloud or an isolated one',
  ],
  [
    'a replica in China',
    ['regions.replica', 'cn-north-1'],
    'regions.replica is "cn-north-1"; allowed is a Region of the partition aws: not of China, GovCloud or an isolated one',
  ],
  [
    'a secret of another partition',
    [
      'sources.2.connection.secret',
      'arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:warehouse-AbCdEf',
    ],
    'sources[2].connection.secret is "arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:warehouse-AbCdEf"; allowed is the ' +
      'name or the ARN of a secret of Secrets Manager, never what is in it',
  ],
  [
    'the replica in the Region of the primary',
    ['regions.replica', 'eu-central-1'],
    'regions.replica is eu-central-1, as regions.primary is; allowed is another Region',
  ],
  [
    'the replica account that is the account',
    ['replicaAccount', '111122223333'],
    'replicaAccount is 111122223333, as account is; leave it out, or name another account',
  ],
  [
    'a lock mode that S3 does not know',
    ['lock.mode', 'NONE'],
    'lock.mode is "NONE"; allowed are "GOVERNANCE", "COMPLIANCE"',
  ],
  [
    'a lock that would outlive the leftovers of failed runs',
    ['lock.defaultDays', 365],
    'lock.defaultDays is 365; allowed are 1 to 5, the shortest retention.stagedDays of a source: what a failed run leaves ' +
      'behind could not be removed before (Publish extends the lock of what is kept)',
  ],
  [
    'a number below the least',
    ['sources.0.jobs', 0],
    'sources[0].jobs is 0; allowed is more than 0',
  ],
  [
    'a number above the most',
    ['sources.0.schedules.0.flexibleMinutes', 2000],
    'sources[0].schedules[0].flexibleMinutes is 2000; allowed is at most 1440',
  ],
  ['no source', ['sources', []], 'sources is [] (empty); allowed is at least 1 entry'],
  [
    'a key that is nearly one',
    ['sources.0.schedule', []],
    'sources[0].schedule is not known; did you mean schedules? allowed are ',
  ],
  [
    'a password where only its place may be said, and without repeating it',
    ['sources.0.connection.password', 'hunter2'],
    'sources[0].connection.password is not known; allowed are secret, dbInstance, dbCluster, database, user, auth, reader, tls',
  ],
  [
    'a connection string as the name of a secret, masked',
    ['sources.2.connection.secret', 'postgres://holdfast:hunter2@db/warehouse'],
    'sources[2].connection.secret is "postgres://holdfast:****@db/warehouse"; allowed is the name or the ARN of a secret of ' +
      'Secrets Manager, never what is in it',
  ],
  [
    'an instance and a cluster for one source',
    ['sources.0.connection.dbCluster', 'shop'],
    'sources[0].connection names dbInstance and dbCluster; allowed is one of them',
  ],
  [
    'a source with no server',
    ['sources.2.connection', {}],
    'sources[2].connection names no secret, dbInstance or dbCluster; one of them is needed to say where the server is',
  ],
  [
    'a token without a user',
    ['sources.0.connection.user', undefined],
    'sources[0].connection.user is missing; auth iam needs the name of the role of PostgreSQL that has rds_iam',
  ],
  [
    'an instance without the secret to log in with',
    ['targets.0.connection.secret', undefined],
    'targets[0].connection.secret is missing; auth secret needs it (for a server with IAM authentication say auth iam)',
  ],
  [
    'a certificate that is none',
    ['sources.2.connection.tls.ca', 'rds-ca.pem'],
    'sources[2].connection.tls.ca is "rds-ca.pem"; allowed is a certificate in PEM (its -----BEGIN line on)',
  ],
  [
    'a schedule of five fields, as in crontab',
    ['sources.0.schedules.1.at', '0 3 * * *'],
    'sources[0].schedules[1].at is "0 3 * * *"; allowed is as cron(0 3 * * ? *), six fields, or rate(6 hours)',
  ],
  [
    'a schedule for a day of the month and of the week at once',
    ['sources.0.schedules.1.at', 'cron(0 3 * * * *)'],
    'sources[0].schedules[1].at is "cron(0 3 * * * *)"; allowed is exactly one ? among day of month (third field) and day of week ' +
      '(fifth), as in cron(0 3 * * ? *)',
  ],
  [
    'two schedules of one tier',
    ['sources.0.schedules.0.tier', 'daily'],
    'sources[0].schedules[1].tier is daily a second time; allowed is one schedule for each tier (one cron names several ' +
      'hours: cron(0 3,15 * * ? *))',
  ],
  [
    'a time zone that is none',
    ['sources.0.timeZone', 'Europe/Bärlin'],
    'sources[0].timeZone is "Europe/Bärlin"; it is no time zone of the IANA database; allowed are names as Europe/Berlin or UTC',
  ],
  [
    'one name for two sources',
    ['sources.1.name', 'shop'],
    'sources[1].name is "shop" a second time; names are unique over sources and targets',
  ],
  [
    'the name of a source for a target',
    ['targets.1.name', 'ledger'],
    'targets[1].name is "ledger" a second time; names are unique over sources and targets',
  ],
  [
    'a drill on a target that there is not',
    ['sources.0.drill.target', 'scrach'],
    'sources[0].drill.target is "scrach"; allowed are scratch, shop, ledger, warehouse',
  ],
  [
    'a drill on a target of the other Region',
    ['sources.0.drill.target', 'exercise'],
    'sources[0].drill.target is "exercise"; allowed are scratch, shop, ledger, warehouse',
  ],
  [
    'an exercise of a source that there is not',
    ['exercise.source', 'shops'],
    'exercise.source is "shops"; allowed are shop, ledger, warehouse',
  ],
  [
    'an exercise on a server of the primary Region',
    ['exercise.target', 'scratch'],
    'exercise.target is "scratch"; allowed are exercise',
  ],
  [
    'an address that is none',
    ['notify.emails.0', 'dba'],
    'notify.emails[0] is "dba"; allowed is an address, as dba@example.com',
  ],
  [
    'a key id that is none of a multi-Region key',
    ['signingPublicKeys.0.keyId', 'alias/signing'],
    'signingPublicKeys[0].keyId is "alias/signing"; allowed is the id of a multi-Region key, mrk- and 32 hex digits',
  ],
  [
    'the id of a signing key for that of the encryption key',
    ['encryptionKeyId', 'mrk-1f0c2d3e4b5a69788796a5b4c3d2e1f0'],
    'encryptionKeyId is mrk-1f0c2d3e4b5a69788796a5b4c3d2e1f0, as a signing key in signingPublicKeys is; no key does both',
  ],
  [
    'the alias of a key for its id',
    ['encryptionKeyId', 'alias/holdfast-prod-encryption'],
    'encryptionKeyId is "alias/holdfast-prod-encryption"; allowed is the id of a multi-Region key, mrk- and 32 hex digits',
  ],
  [
    'a public key that is none',
    ['signingPublicKeys.1.publicKey', 'MFkw'],
    'signingPublicKeys[1].publicKey is "MFkw"; allowed is a public key in PEM on the curve P-256, as `aws kms get-public-key` gives it',
  ],
  [
    'two public keys for one id',
    ['signingPublicKeys.1.keyId', 'mrk-1f0c2d3e4b5a69788796a5b4c3d2e1f0'],
    'signingPublicKeys[1].keyId is mrk-1f0c2d3e4b5a69788796a5b4c3d2e1f0 a second time; one entry for each key',
  ],
  [
    'the name of a VPC instead of its id',
    ['network.primary.vpcId', 'production'],
    'network.primary.vpcId is "production"; allowed is an id, as vpc-0a1b2c3d4e5f67890',
  ],
  [
    'endpoints without the route tables that they need',
    ['network.primary.routeTableIds', []],
    'network.primary.routeTableIds is empty; makesEndpoints needs the route tables of the subnets, for the endpoint of S3',
  ],
  [
    'a time of logs that CloudWatch does not take',
    ['logDays', 100],
    'logDays is 100; allowed are 1, 3, 5, 7, 14, 30, ',
  ],
  [
    'the path of a role for its name',
    ['deployRoles.1', 'arn:aws:iam::111122223333:role/pipeline'],
    'deployRoles[1] is "arn:aws:iam::111122223333:role/pipeline"; allowed is the name of a role, without its path, with * and ?',
  ],
])('refused with path, value got and value allowed: %s', (_, change, said) => {
  const refusal = refusalOf(change);
  expect(refusal.split('\n')[1]?.startsWith(`  ${said}`), refusal).toBe(true);
  expect(refusal).not.toContain('hunter2');
});

test('without a second Region, nothing that needs one', () => {
  expect(refusalOf(['regions.replica', undefined])).toBe(
    'environments/everything.json has 4 values that are not allowed:\n' +
      '  replicaAccount needs regions.replica, which is missing\n' +
      '  network.replica needs regions.replica, which is missing\n' +
      '  exercise needs regions.replica, which is missing\n' +
      '  targets[1].region is replica and needs regions.replica, which is missing',
  );
});

test('every mistake is told at once', () => {
  const refusal = refusalOf(['sources.0.jobs', 'eight'], ['locks', {}], ['logDays', '90']);
  expect(refusal.split('\n').slice(1)).toEqual([
    '  sources[0].jobs is "eight"; allowed is a number',
    expect.stringMatching(/^ {2}logDays is "90"; allowed are 1, 3, /),
    expect.stringMatching(
      /^ {2}locks is not known; did you mean lock\? allowed are name, account, /,
    ),
  ]);
});
