/** Command lines from PyPI that know nothing of us, each in a Python environment of its own in `.cloud/`. */
import { execFile } from 'node:child_process';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
/** A download of 25 MB on a slow line. */
const installTimeoutMs = 300_000;

/** @param requirement with its version, as pip takes it @returns the folder of its programs */
export async function pythonTools(name: string, requirement: string): Promise<string> {
  const venv = join(root, '.cloud', name);
  const mark = join(venv, 'installed.txt');
  if ((await readFile(mark, 'utf8').catch(() => '')) !== requirement) {
    // Beside, under another name, and then put in place: a run that was killed leaves nothing half.
    const fresh = `${venv}.${process.pid}`;
    await run('python3', ['-m', 'venv', fresh]);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', requirement];
    await run(join(fresh, 'bin/python'), pip, { timeout: installTimeoutMs });
    await writeFile(join(fresh, 'installed.txt'), requirement);
    await rm(venv, { recursive: true, force: true });
    await rename(fresh, venv);
  }
  return join(venv, 'bin');
}
