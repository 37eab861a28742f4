/**
 * Sealed backups and the handlers from there on, without a database: a directory vault as an environment on AWS has it,
 * with a policy per source and, if wanted, a replica.
 */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deps } from '../../core/contract/deps.ts';
import { type SourceParameter, sourceParameterSchema } from '../../core/contract/environment.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { Manifest, Tier } from '../../core/contract/manifest.ts';
import { backupInputSchema, type Run } from '../../core/contract/plan.ts';
import { type RetentionPolicy, retentionPolicySchema } from '../../core/contract/retention.ts';
import { writeEvidence } from '../../core/evidence/record.ts';
import { takeLease } from '../../core/run/lease.ts';
import { writeRun } from '../../core/run/run-record.ts';
import { vaultKeys } from '../../core/vault/keys.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import { handlers } from '../../lambdas/handlers.ts';
import { openDirectoryVault } from '../../local/vault/directory-vault.ts';
import { openDirectoryWorkspace } from '../../local/vault/directory-workspace.ts';
import { type SampleVault, sampleBackup, sampleVault } from '../support/sample-backup.ts';

export const by = { user: 'tester', host: 'here' };

export interface KeptVault {
  readonly sample: SampleVault;
  readonly deps: Deps;
  /** Sealed and verified by VerifyUnit: ready for Publish. */
  sealed(time: string, options?: SealedOptions): Promise<Sealed>;
  publish(run: Sealed, deps?: Deps): Promise<unknown>;
  /** Kinds of the evidence of a backup, oldest first, and their facts. */
  state(backupId: string): Promise<KeptState>;
}

export interface SealedOptions {
  readonly tier?: Tier;
  readonly scope?: 'full' | 'partial';
  readonly source?: string;
}

export interface Sealed {
  readonly runId: string;
  readonly backupId: string;
  readonly manifest: Manifest;
}

export interface KeptState {
  /** Of all its objects and its entry: `tag, lock, hold`, each once. */
  readonly objects: string[];
  readonly evidence: string[];
  readonly entryTier: string | undefined;
}

/** @param policy differences to the default one; `none`: as on one machine, where there is no environment */
export async function keptVault(
  folder: string,
  policy: Partial<RetentionPolicy> | 'none' = {},
): Promise<KeptVault> {
  const sample = await sampleVault(folder);
  return keptOn(sample, policy);
}

/** The same world in another folder, for what must not change the first. */
export async function copyOf(world: KeptVault, folder: string, policy: Partial<RetentionPolicy>) {
  const root = join(folder, 'vault');
  await cp(world.sample.root, root, { recursive: true });
  const vault = openDirectoryVault(root);
  const workspace = openDirectoryWorkspace(join(root, 'workspace'));
  const deps = { ...world.sample.deps, vault };
  return keptOn({ ...world.sample, root, vault, workspace, deps }, policy);
}

/** Replication: all objects and what is known of them, as they are now. */
export async function replicate(world: KeptVault, folder: string): Promise<string> {
  const root = join(folder, 'replica');
  const filter = (path: string) => !path.startsWith(join(world.sample.root, 'workspace'));
  await cp(world.sample.root, root, { recursive: true, filter });
  return root;
}

export function sourceParameter(more: Partial<SourceParameter> = {}): SourceParameter {
  const given = { name: 'shop', connection: { secret: 'shop' }, lockMode: 'GOVERNANCE' };
  return { ...sourceParameterSchema.parse(given), ...more };
}

/** @param sample wherever its vault is; @param more ports beside it, as a replica */
export function keptOn(
  sample: SampleVault,
  policy: Partial<RetentionPolicy> | 'none',
  more: Partial<Deps> = {},
): KeptVault {
  const retention = policy === 'none' ? undefined : retentionPolicySchema.parse(policy);
  const deps: Deps = {
    ...sample.deps,
    workspace: sample.workspace,
    connectionOf: () => Promise.reject(new Error('no database here')),
    toolVersions: { holdfast: '0.0.0', node: process.version },
    ...(retention !== undefined && {
      sourceOf: async (name: string) => {
        if (name === 'shop') return sourceParameter({ retention });
        throw new HoldfastError('ConnectionNotFoundError', `There is no source ${name}.`);
      },
    }),
    ...more,
  };
  return {
    sample,
    deps,
    async sealed(time, { tier = 'daily', scope = 'full', source = 'shop' } = {}) {
      const options = { time, tier, scope, source, rows: 20, state: 'sealed' } as const;
      const manifest = await sampleBackup(sample, options);
      const { backupId, runId } = manifest;
      const input = backupInputSchema.parse({ source, tier, requestedBy: by });
      const lease = await takeLease(deps, { source, runId, leaseSeconds: 300, heldBy: by });
      const run: Run = {
        ...{ runId, backupId, vaultId: sample.marker.vaultId, startedAt: manifest.startedAt },
        ...{ input, warnings: [], fence: lease.fence },
        server: { host: 'h', port: 5432, database: 'shop', version: '18.0', versionNum: 180000 },
      };
      await writeRun(deps, run);
      for (const object of manifest.objects.keys()) {
        await handlers.VerifyUnit(deps)({ runId, object });
      }
      return { runId, backupId, manifest };
    },
    publish: ({ runId }, own = deps) => handlers.Publish(own)({ runId }),
    state: (backupId) => stateOf(deps, backupId),
  };
}

async function stateOf(deps: Deps, backupId: string): Promise<KeptState> {
  const { manifest } = await loadManifest(deps, 'shop', backupId, { isFresh: true });
  const entry = vaultKeys.catalogue('shop', new Date(manifest.snapshot.instant), backupId);
  const keys: string[] = [entry];
  for await (const { key } of deps.vault.list(vaultKeys.backup('shop', backupId))) keys.push(key);
  const objects = new Set<string>();
  for (const key of keys) {
    const { tags, retainUntil, hasLegalHold } = await deps.vault.head(key);
    const lock = key === entry ? 'as the data' : (retainUntil?.toISOString() ?? 'no lock');
    if (key !== entry)
      objects.add(`${tags['holdfast-tier']}, ${lock}, ${hasLegalHold ? 'held' : 'free'}`);
    else
      objects.add(
        `entry ${tags['holdfast-tier'] ?? 'untagged'}, ${hasLegalHold ? 'held' : 'free'}`,
      );
  }
  const evidence: string[] = [];
  for await (const { key } of deps.vault.list(vaultKeys.evidenceOf('shop', backupId))) {
    evidence.push(/([a-z]+)\.json$/.exec(key)?.[1] ?? key);
  }
  const { tier } = JSON.parse(Buffer.from(await deps.vault.get(entry)).toString());
  return { objects: [...objects].sort(), evidence, entryTier: tier };
}

/** A drill has restored it and found it identical. */
export async function prove({ deps }: KeptVault, backupId: string): Promise<void> {
  const { sha256 } = await loadManifest(deps, 'shop', backupId);
  const what = { kind: 'proven', source: 'shop', backupId, by, manifestSha256: sha256 } as const;
  await writeEvidence(deps, { ...what, facts: {} });
}
