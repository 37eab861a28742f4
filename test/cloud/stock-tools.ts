/** The AWS Encryption SDK's own command line (PyPI), which knows nothing of us, in a Python environment of its own. */
import { execFile } from 'node:child_process';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const requirements = 'aws-encryption-sdk-cli==4.3.0';
/** A download of 25 MB on a slow line. */
const installTimeoutMs = 300_000;

/** @returns the folder of its programs */
export async function stockTools(): Promise<string> {
  const venv = join(root, '.cloud/stock');
  const mark = join(venv, 'installed.txt');
  if ((await readFile(mark, 'utf8').catch(() => '')) !== requirements) {
    // Beside, under another name, and then put in place: a run that was killed leaves nothing half.
    const fresh = `${venv}.${process.pid}`;
    await run('python3', ['-m', 'venv', fresh]);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', requirements];
    await run(join(fresh, 'bin/python'), pip, { timeout: installTimeoutMs });
    await writeFile(join(fresh, 'installed.txt'), requirements);
    await rm(venv, { recursive: true, force: true });
    await rename(fresh, venv);
  }
  return join(venv, 'bin');
}
