/** An environment with everything on, and its stateless stacks in both Regions, with made-up keys. */
import { generateKeyPairSync } from 'node:crypto';
import type { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { z } from 'zod';
import { type Environment, environmentSchema } from '../../core/contract/environment.ts';
import { namesOf } from '../../core/contract/names.ts';
import type { RegionProps } from '../../lib/functions/region.ts';
import { BackupStack } from '../../lib/stacks/backup-stack.ts';
import { ObservabilityStack } from '../../lib/stacks/observability-stack.ts';
import { RestoreStack } from '../../lib/stacks/restore-stack.ts';
import { bundle, newApp } from './assembly.ts';

export const account = '123456789012';
export const primary = 'eu-central-1';
export const replica = 'eu-west-1';

/** Ids that both Regions have. */
const mrk = { encryption: `mrk-${'e'.repeat(32)}`, signing: `mrk-${'5'.repeat(32)}` };

const signingPublicKey = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .publicKey.export({ type: 'spki', format: 'pem' })
  .toString();

type Input = z.input<typeof environmentSchema>;

const networkIn = (id: string): NonNullable<Input['network']>['primary'] => ({
  vpcId: `vpc-${id}0000001`,
  availabilityZones: ['a', 'b'],
  subnetIds: [`subnet-${id}0000001`, `subnet-${id}0000002`],
  securityGroupIds: [`sg-${id}0000001`],
  routeTableIds: [`rtb-${id}0000001`],
  makesEndpoints: true,
});

/** @param changes replace whole members of the environment */
export function everythingOn(changes: Partial<Input> = {}): Environment {
  return environmentSchema.parse({
    name: 'prod',
    account,
    regions: { primary, replica },
    network: { primary: networkIn('a'), replica: networkIn('b') },
    signingPublicKeys: [{ keyId: mrk.signing, publicKey: signingPublicKey }],
    notify: { emails: ['dba@example.com', 'lead@example.com'] },
    sources: [
      {
        name: 'orders',
        connection: { secret: 'orders/backup', dbInstance: 'orders-1' },
        timeZone: 'Europe/Berlin',
        schedules: [
          { tier: 'daily', at: 'cron(0 3 * * ? *)' },
          { tier: 'hourly', at: 'rate(1 hour)', flexibleMinutes: 0 },
        ],
        drill: { at: 'cron(0 6 ? * SUN *)', flexibleMinutes: 60, target: 'drills' },
      },
      {
        name: 'billing',
        connection: { auth: 'iam', user: 'holdfast', dbCluster: 'billing', database: 'billing' },
        schedules: [{ tier: 'daily', at: 'cron(0 4 * * ? *)' }],
      },
    ],
    targets: [
      { name: 'drills', connection: { secret: 'drills/admin' } },
      { name: 'recovery', region: 'replica', connection: { secret: 'recovery/admin' } },
    ],
    exercise: { source: 'orders', target: 'recovery', at: 'cron(0 6 1 */3 ? *)' },
    reservedConcurrency: { DumpUnit: 20, LoadUnit: 10 },
    logDays: 30,
    ...changes,
  } satisfies Input);
}

export const keyArn = (kind: keyof typeof mrk, region: string): string =>
  `arn:aws:kms:${region}:${account}:key/${mrk[kind]}`;

export function regionOf(environment: Environment, isPrimary: boolean): RegionProps {
  const region = isPrimary ? primary : replica;
  const keys = {
    encryptionKeyArn: keyArn('encryption', region),
    signingKeyArn: keyArn('signing', region),
    ...(isPrimary && {
      replicaEncryptionKeyArn: keyArn('encryption', replica),
      replicaSigningKeyArn: keyArn('signing', replica),
    }),
  };
  return { environment, place: { account, region }, isPrimary, keys };
}

export interface RegionStacks {
  readonly observability: Stack;
  readonly backup: Stack;
  readonly restore: Stack;
}

export interface RegionTemplates {
  readonly observability: Template;
  readonly backup: Template;
  readonly restore: Template;
}

export function stacksOf(app: App, region: RegionProps): RegionStacks {
  const { environment, place } = region;
  const id = (what: string) => namesOf(environment.name).stack(what, place.region);
  const props = { env: place, region };
  return {
    observability: new ObservabilityStack(app, id('Observability'), props),
    backup: new BackupStack(app, id('Backup'), { ...props, bundle }),
    restore: new RestoreStack(app, id('Restore'), { ...props, bundle }),
  };
}

export function templatesOf(environment: Environment, isPrimary = true): RegionTemplates {
  const app = newApp();
  const stacks = stacksOf(app, regionOf(environment, isPrimary));
  return {
    observability: Template.fromStack(stacks.observability),
    backup: Template.fromStack(stacks.backup),
    restore: Template.fromStack(stacks.restore),
  };
}
