/** Preflight on a real server, with a manifest that is changed for the case. */
import type { Deps } from '../../core/contract/deps.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import {
  type PreflightItem,
  type RestoreInput,
  restoreInputSchema,
} from '../../core/contract/restore.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { type Preflight, runPreflight } from '../../core/restore/preflight.ts';
import { sampleBackup, sampleVault } from '../support/sample-backup.ts';

export interface PreflightCase {
  readonly manifest: Manifest;
  run(
    request?: object,
    options?: { manifest?: Manifest; connection?: ConnectionSettings; deps?: Partial<Deps> },
  ): Promise<Preflight>;
}

export const requestedBy = { user: 'tester', host: 'here' };

export const inputOf = (request: object = {}): RestoreInput =>
  restoreInputSchema.parse({ target: 'there', requestedBy, ...request, ...optionsOf(request) });

const optionsOf = (request: { options?: object }) => ({ options: { jobs: 2, ...request.options } });

export async function preflightCase(
  folder: string,
  connection: ConnectionSettings,
): Promise<PreflightCase> {
  const sample = await sampleVault(folder);
  const manifest = await sampleBackup(sample, { rows: 10 });
  return {
    manifest,
    run: (request = {}, options = {}) => {
      const settings = options.connection ?? connection;
      const deps: Deps = {
        ...sample.deps,
        workspace: sample.workspace,
        connectionOf: async () => settings,
        toolVersions: { holdfast: '0.0.0', node: process.version },
        ...options.deps,
      };
      return runPreflight(
        deps,
        inputOf(request),
        { manifest: options.manifest ?? manifest },
        '20261121t070000z-0123abcd',
      );
    },
  };
}

export const withInventory = (
  manifest: Manifest,
  inventory: Partial<Manifest['inventory']>,
): Manifest => ({ ...manifest, inventory: { ...manifest.inventory, ...inventory } });

export const bad = ({ items }: Preflight): PreflightItem[] =>
  items.filter(({ verdict }) => verdict !== 'ok');

export const only = ({ items }: Preflight, check: string): PreflightItem => {
  const [item, ...more] = items.filter((one) => one.check === check);
  if (item === undefined || more.length > 0) {
    throw new Error(`${check}: ${JSON.stringify(items)}`);
  }
  return item;
};
