/** The environment of the cloud tests: two Regions, a source in the first, a server to restore to in each. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { input } from 'zod';
import type { environmentSchema } from '../../../core/contract/environment.ts';
import { primaryRegion, replicaRegion } from '../emulator-clients.ts';

export const environmentName = 'citest';

export interface ServerFacts {
  readonly port: number;
  /** PEM; the server's certificate is for `localhost`. */
  readonly ca: string;
}

/** Names of the secrets that say host, port, user and password: each in the Region that uses it. */
export const secretNames = {
  shop: 'shop/backup',
  restore: 'shop/restore',
  exercise: 'dr/restore',
  home: 'home/restore',
};

/** @returns the folder, for `-c environments=` */
export async function writeEnvironment(
  folder: string,
  account: string,
  servers: { readonly primary: ServerFacts; readonly replica: ServerFacts },
): Promise<string> {
  const environments = join(folder, 'environments');
  const environment: input<typeof environmentSchema> = {
    name: environmentName,
    account,
    regions: { primary: primaryRegion, replica: replicaRegion },
    notify: { emails: ['dba@example.com'] },
    sources: [
      {
        name: 'shop',
        connection: { secret: secretNames.shop, tls: { ca: servers.primary.ca } },
        timeZone: 'Europe/Berlin',
        schedules: [
          // Not while the tests run: schedule.test.ts says when.
          { tier: 'hourly', at: 'cron(0 0 1 1 ? *)', flexibleMinutes: 0 },
          { tier: 'daily', at: 'cron(0 3 1 1 ? *)' },
        ],
        drill: { at: 'cron(0 6 ? * SUN *)', target: 'scratch' },
        objectives: { rpoHours: 2, rtoHours: 1 },
        jobs: 2,
      },
    ],
    targets: [
      {
        name: 'scratch',
        connection: { secret: secretNames.restore, tls: { ca: servers.primary.ca } },
      },
      {
        name: 'shop-admin',
        connection: { secret: secretNames.restore, tls: { ca: servers.primary.ca } },
      },
      {
        // The way back: the primary's server, as the replica Region reaches it.
        name: 'home',
        region: 'replica',
        connection: { secret: secretNames.home, tls: { ca: servers.primary.ca } },
      },
      {
        name: 'dr-server',
        region: 'replica',
        connection: { secret: secretNames.exercise, tls: { ca: servers.replica.ca } },
      },
    ],
    exercise: { source: 'shop', target: 'dr-server', at: 'cron(0 8 1 */3 ? *)' },
  };
  await mkdir(environments, { recursive: true });
  await writeFile(join(environments, `${environmentName}.json`), JSON.stringify(environment));
  return environments;
}
