/** The doctor's look at a server of RDS from outside: no login is needed, and the server is not reached. */
import { type Check, failure, ok } from '../../core/doctor/check.ts';
import { networkPath } from './checks/network.ts';
import {
  availability,
  certificate,
  deletionProtection,
  iamLogin,
  status,
  windows,
} from './checks/protection.ts';
import {
  engineVersion,
  forcedTls,
  lockTable,
  parameterGroup,
  sessionTimeouts,
  standby,
} from './checks/settings.ts';
import { freeStorage, storageType } from './checks/storage.ts';
import { type RdsCheck, runRdsCheck } from './rds-check.ts';
import { collectRdsFacts, type RdsClients, type RdsFacts, type RdsQuestion } from './rds-facts.ts';

/** In the order in which a backup would stumble over it. */
const rdsChecks: readonly RdsCheck[] = [
  status,
  engineVersion,
  standby,
  networkPath,
  certificate,
  forcedTls,
  iamLogin,
  parameterGroup,
  lockTable,
  sessionTimeouts,
  storageType,
  freeStorage,
  windows,
  availability,
  deletionProtection,
];

/** Never throws: what cannot be read is a check with the status `problem`. */
export async function rdsDoctor(clients: RdsClients, question: RdsQuestion): Promise<Check[]> {
  const found = { id: 'rds-found', title: 'Server in RDS' };
  let facts: RdsFacts;
  try {
    facts = await collectRdsFacts(clients, question);
  } catch (error) {
    return [{ ...found, ...failure(error) }];
  }
  const checks = [{ ...found, ...ok(`The ${facts.what} is there.`) }];
  return [...checks, ...(await examineRds(facts))];
}

/** What was not named is not checked. */
export async function examineRds(facts: RdsFacts): Promise<Check[]> {
  const wanted = rdsChecks.filter((one) => one !== networkPath || facts.groups !== undefined);
  return Promise.all(wanted.map((one) => runRdsCheck(one, facts)));
}
