/**
 * All stacks of an environment. What is stateful comes first and changes rarely; what works with it is in every Region
 * and may be thrown away and deployed again.
 *
 * One stack takes a value from another only as a weak reference (Fn::GetStackOutput): an export that is in use could not
 * change, and the first would be that of a signing key when a new one takes its place. All else is found by its name.
 */
import { type App, CrossStackReferences, ReferenceStrength, type Stack } from 'aws-cdk-lib';
import type { Environment } from '../core/contract/environment.ts';
import { namesOf } from '../core/contract/names.ts';
import { addStateless } from './add-stateless.ts';
import { primaryPlaceOf, replicaPlaceOf, replicaVaultPlaceOf } from './places.ts';
import { KeysStack } from './stacks/keys-stack.ts';
import { ReplicaKeysStack } from './stacks/replica-keys-stack.ts';
import { TrailStack } from './stacks/trail-stack.ts';
import { VaultStack } from './stacks/vault-stack.ts';
import { WorkspaceStack } from './stacks/workspace-stack.ts';

export interface AppOptions {
  /** Folder of the functions' code. Default: what the build leaves. */
  readonly bundle?: string;
}

/** @throws Error where the functions are not built; HoldfastError for what AWS could not take */
export function buildApp(app: App, environment: Environment, options: AppOptions = {}): void {
  CrossStackReferences.of(app).consume(ReferenceStrength.WEAK);
  const { stack } = namesOf(environment.name);
  const primary = primaryPlaceOf(environment);
  const replica = replicaPlaceOf(environment);
  const replicaVaultPlace = replicaVaultPlaceOf(environment);
  const common = { app, environment, options };

  const keys = new KeysStack(app, stack('Keys', primary.region), { environment });
  const workspace = new WorkspaceStack(app, stack('Workspace', primary.region), {
    ...{ environment, place: primary },
  });
  const vault = new VaultStack(app, stack('Vault', primary.region), {
    ...{ environment, place: primary, replicaPlace: replicaVaultPlace },
  });
  if (environment.trail) {
    for (const [place, isPrimary] of [
      [primary, true],
      [replica, false],
    ] as const) {
      if (place === undefined) continue;
      new TrailStack(app, stack('Trail', place.region), {
        where: { environment, place, isPrimary },
      });
    }
  }
  const encryptionKeyArn = keys.encryptionKey.keyArn;
  const signingKeyArn = keys.signs.keyArn;
  if (replica === undefined || replicaVaultPlace === undefined) {
    addStateless(common, {
      ...{ place: primary, isPrimary: true, needs: [vault, workspace] },
      keys: { encryptionKeyArn, signingKeyArn },
    });
    return;
  }

  const replicaKeys = new ReplicaKeysStack(app, stack('ReplicaKeys', replica.region), {
    ...{ environment, place: replica, keys },
  });
  // Pinned ids stand in it as they are; a second signing key is made before its replica all the same.
  replicaKeys.addStackDependency(keys);
  const replicaWorkspace = new WorkspaceStack(app, stack('Workspace', replica.region), {
    ...{ environment, place: replica },
  });
  const replicaVault = new VaultStack(app, stack('ReplicaVault', replica.region), {
    ...{ environment, place: replicaVaultPlace },
    description: `Holdfast ${environment.name}: copy of the vault`,
  });
  // S3 refuses to replicate to a bucket that is not there.
  vault.addStackDependency(replicaVault);
  const replicaNeeds: Stack[] = [replicaVault, replicaKeys];
  addStateless(common, {
    ...{ place: primary, isPrimary: true, needs: [vault, workspace, ...replicaNeeds] },
    keys: {
      ...{ encryptionKeyArn, signingKeyArn },
      // A replica key has its primary's id.
      replicaEncryptionKeyArn: `arn:aws:kms:${replica.region}:${replica.account}:key/${keys.encryptionKey.keyId}`,
      replicaSigningKeyArn: `arn:aws:kms:${replica.region}:${replica.account}:key/${keys.signs.keyId}`,
    },
  });
  addStateless(common, {
    ...{ place: replica, isPrimary: false, needs: [...replicaNeeds, replicaWorkspace] },
    keys: {
      encryptionKeyArn: replicaKeys.encryptionKeyArn,
      signingKeyArn: replicaKeys.signingKeyArn,
    },
  });
}
