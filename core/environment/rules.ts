/**
 * What the values of an environment say of one another: names that must exist, be unique, or be where they are used.
 *
 * Invariant: what passes here deploys; nothing that a person wrote is left without effect.
 */
import type { Environment, Network } from '../contract/environment.ts';

type Path = (string | number)[];
type Report = (path: Path, message: string) => void;

interface Context {
  addIssue(issue: { code: 'custom'; path: Path; message: string }): void;
}

/** For `superRefine` of the schema. */
export function checkEnvironment(environment: Environment, context: Context): void {
  const report: Report = (path, message) => context.addIssue({ code: 'custom', path, message });
  checkRegions(environment, report);
  checkNames(environment, report);
  checkSchedules(environment, report);
  checkDrills(environment, report);
  checkLock(environment, report);
  checkKeys(environment, report);
  for (const where of ['primary', 'replica'] as const) {
    checkNetwork(['network', where], environment.network[where], report);
  }
}

function checkRegions(environment: Environment, report: Report): void {
  const { account, regions, replicaAccount, network, targets, exercise } = environment;
  if (regions.replica === regions.primary) {
    report(
      ['regions', 'replica'],
      `is ${regions.primary}, as regions.primary is; allowed is another Region`,
    );
  }
  if (replicaAccount === account) {
    report(
      ['replicaAccount'],
      `is ${account}, as account is; leave it out, or name another account`,
    );
  }
  if (regions.replica !== undefined) return;
  const needs = 'needs regions.replica, which is missing';
  if (replicaAccount !== undefined) report(['replicaAccount'], needs);
  if (network.replica !== undefined) report(['network', 'replica'], needs);
  if (exercise !== undefined) report(['exercise'], needs);
  targets.forEach(({ region }, index) => {
    if (region === 'replica') report(['targets', index, 'region'], `is replica and ${needs}`);
  });
}

/** Functions find a connection by its name alone, whether it is a source's or a target's. */
function checkNames({ sources, targets }: Environment, report: Report): void {
  const seen = new Set<string>();
  const all = [
    ...sources.map(({ name }, index) => ({ name, path: ['sources', index, 'name'] })),
    ...targets.map(({ name }, index) => ({ name, path: ['targets', index, 'name'] })),
  ];
  for (const { name, path } of all) {
    if (seen.has(name)) {
      report(
        path,
        `is ${JSON.stringify(name)} a second time; names are unique over sources and targets`,
      );
    }
    seen.add(name);
  }
}

function checkSchedules({ sources }: Environment, report: Report): void {
  sources.forEach(({ schedules }, index) => {
    schedules.forEach(({ tier }, at) => {
      if (schedules.findIndex((other) => other.tier === tier) === at) return;
      report(
        ['sources', index, 'schedules', at, 'tier'],
        `is ${tier} a second time; allowed is one schedule for each tier (one cron names several hours: cron(0 3,15 * * ? *))`,
      );
    });
  });
}

/** A drill restores in the primary Region, an exercise in the replica Region: the server must be there. */
function checkDrills(environment: Environment, report: Report): void {
  const { sources, targets, exercise } = environment;
  const sourceNames = sources.map(({ name }) => name);
  const targetsIn = (where: 'primary' | 'replica') =>
    targets.filter(({ region }) => region === where).map(({ name }) => name);
  const inPrimary = [...targetsIn('primary'), ...sourceNames];
  sources.forEach(({ drill }, index) => {
    if (drill === undefined || inPrimary.includes(drill.target)) return;
    report(
      ['sources', index, 'drill', 'target'],
      `is ${JSON.stringify(drill.target)}; ${oneOf(inPrimary, 'a target of the primary Region')}`,
    );
  });
  if (exercise === undefined) return;
  if (!sourceNames.includes(exercise.source)) {
    report(
      ['exercise', 'source'],
      `is ${JSON.stringify(exercise.source)}; ${oneOf(sourceNames, 'a source')}`,
    );
  }
  const inReplica = targetsIn('replica');
  if (!inReplica.includes(exercise.target)) {
    report(
      ['exercise', 'target'],
      `is ${JSON.stringify(exercise.target)}; ${oneOf(inReplica, 'a target with "region": "replica"')}`,
    );
  }
}

const oneOf = (names: readonly string[], what: string): string =>
  names.length === 0
    ? `there is none that is allowed: add ${what}`
    : `allowed are ${names.join(', ')}`;

/** What a failed run leaves behind must be free of its lock when it expires. */
function checkLock({ lock, sources }: Environment, report: Report): void {
  const shortest = Math.min(...sources.map(({ retention }) => retention.stagedDays));
  if (lock.defaultDays <= shortest) return;
  report(
    ['lock', 'defaultDays'],
    `is ${lock.defaultDays}; allowed are 1 to ${shortest}, the shortest retention.stagedDays of a source: what a failed ` +
      'run leaves behind could not be removed before (Publish extends the lock of what is kept)',
  );
}

function checkKeys({ encryptionKeyId, signingPublicKeys }: Environment, report: Report): void {
  const ids = signingPublicKeys.map(({ keyId }) => keyId);
  if (encryptionKeyId !== undefined && ids.includes(encryptionKeyId)) {
    report(
      ['encryptionKeyId'],
      `is ${encryptionKeyId}, as a signing key in signingPublicKeys is; no key does both`,
    );
  }
  ids.forEach((id, index) => {
    if (ids.indexOf(id) === index) return;
    report(['signingPublicKeys', index, 'keyId'], `is ${id} a second time; one entry for each key`);
  });
}

function checkNetwork(path: Path, network: Network | undefined, report: Report): void {
  if (network === undefined) return;
  const { makesEndpoints, routeTableIds } = network;
  if (makesEndpoints && routeTableIds.length === 0) {
    report(
      [...path, 'routeTableIds'],
      'is empty; makesEndpoints needs the route tables of the subnets, for the endpoint of S3',
    );
  }
}
