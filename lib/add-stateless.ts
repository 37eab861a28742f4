/** What works in one Region: notices, backups, restores. The same stacks in both, so that either can do without the other. */
import { Annotations, type App, type Stack } from 'aws-cdk-lib';
import type { Environment } from '../core/contract/environment.ts';
import { namesOf } from '../core/contract/names.ts';
import type { AppOptions } from './app.ts';
import type { RegionProps } from './functions/region.ts';
import { BackupStack } from './stacks/backup-stack.ts';
import { ObservabilityStack } from './stacks/observability-stack.ts';
import { RestoreStack } from './stacks/restore-stack.ts';

export function addStateless(
  {
    app,
    environment,
    options,
  }: { readonly app: App; readonly environment: Environment; readonly options: AppOptions },
  {
    needs,
    ...where
  }: Omit<RegionProps, 'environment'> & {
    /** Stateful stacks that are deployed before. */
    readonly needs: readonly Stack[];
  },
): void {
  const region = { environment, ...where };
  const { stack } = namesOf(environment.name);
  const id = (what: string) => stack(what, where.place.region);
  const props = { region, env: where.place, ...options };
  const observability = new ObservabilityStack(app, id('Observability'), {
    region,
    env: where.place,
  });
  const backup = new BackupStack(app, id('Backup'), props);
  const restore = new RestoreStack(app, id('Restore'), props);
  // Its rules name the keys.
  for (const needed of needs) observability.addStackDependency(needed);
  for (const one of [backup, restore]) one.addStackDependency(observability);
  for (const one of [backup, restore]) requirePins(one, environment);
  // A restore begins with a safety backup: it starts the other's machine.
  restore.addStackDependency(backup);
}

/**
 * With two signing keys the functions must know both: what the older one signed is checked by its pinned half alone. An
 * error of these stacks and not of the environment, since the newer key has to be deployed before it can be pinned.
 */
function requirePins(stack: Stack, { name, signingKeys, signingPublicKeys }: Environment): void {
  const pinned = signingPublicKeys.length;
  if (signingKeys === 1 || pinned >= signingKeys) return;
  Annotations.of(stack).addError(
    `environments/${name}.json: signingPublicKeys has ${pinned} of ${signingKeys} signing keys. Deploy the keys alone ` +
      "(cdk deploy --exclusively '*-Keys-*' '*-ReplicaKeys-*'), pin the new one's public half " +
      '(aws kms get-public-key), and deploy the rest.',
  );
}
