/** What the tests of this folder share: clients of the deployment. */
import { inject } from 'vitest';
import { clientSettings } from '../emulator-clients.ts';
import { clientsOf } from './clients.ts';

export const base = () => {
  const { accountId: account, env } = inject('cloud');
  return { account, env, settings: clientSettings };
};

export const clientsIn = (region: string) => clientsOf(base(), region);
