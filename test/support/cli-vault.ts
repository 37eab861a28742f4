/** A vault and its key in fresh folders, made by `holdfast init`, and the command line that uses them. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { type CliOptions, type CliResult, holdfast } from './cli.ts';

export interface CliVault {
  readonly folder: string;
  readonly vault: string;
  readonly keyFile: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs a command on this vault. */
  run(args: readonly string[], options?: CliOptions): Promise<CliResult>;
}

export async function makeCliVault(folder: string): Promise<CliVault> {
  const vault = join(folder, 'vault');
  const keyFile = join(folder, 'key.json');
  const env = { HOLDFAST_VAULT: vault, HOLDFAST_KEY_FILE: keyFile, HOME: folder };
  const made = await holdfast(['init'], { env });
  expect(made.code, made.stderr).toBe(0);
  return {
    folder,
    vault,
    keyFile,
    env,
    run: (args, options = {}) =>
      holdfast(args, { cwd: folder, ...options, env: { ...env, ...options.env } }),
  };
}
