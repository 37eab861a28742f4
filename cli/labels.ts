/** Labels of a backup: those given, and the state of the git checkout that the command was run in. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { HoldfastError } from '../core/contract/errors.ts';

const run = promisify(execFile);

/** A git that hangs (a network file system) must not hold up a backup. */
const gitTimeoutMs = 3_000;

/** @throws UsageError unless it is `key=value` with a key of letters, digits and `. _ / -` */
export function addLabel(text: string, before: Record<string, string>): Record<string, string> {
  const [, key, value] = /^([A-Za-z0-9][A-Za-z0-9._/-]{0,62})=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) {
    throw new HoldfastError('UsageError', `--label ${JSON.stringify(text)} is not key=value.`, {
      hint: 'Write it as --label release=1.2 (key: letters, digits, and . _ / - up to 63 in all).',
    });
  }
  return { ...before, [key]: value };
}

/** `git.branch` and `git.commit`; empty outside of a checkout, and `git.branch` absent on a detached head. */
export async function gitLabels(folder = process.cwd()): Promise<Record<string, string>> {
  const [commit, branch] = await Promise.all([
    git(folder, 'rev-parse', '--verify', 'HEAD'),
    git(folder, 'symbolic-ref', '--short', 'HEAD'),
  ]);
  return {
    ...(commit === undefined ? {} : { 'git.commit': commit }),
    ...(commit === undefined || branch === undefined ? {} : { 'git.branch': branch }),
  };
}

async function git(folder: string, ...args: string[]): Promise<string | undefined> {
  try {
    const { stdout } = await run('git', ['-C', folder, ...args], { timeout: gitTimeoutMs });
    return stdout.trim() || undefined;
  } catch {
    // No git, no checkout, no commit yet: labels are an extra, never a reason to fail.
    return undefined;
  }
}
