/**
 * The Python environment of the cloud tests: made once, in the folder that HOLDFAST_CLOUD_VENV names (`.cloud/venv` in
 * the checkout without it), and made anew when the requirements have changed.
 *
 * Invariant: what is used is complete. It is made beside under another name and put in place by a rename, so that a
 * killed or a second run leaves nothing half. (Called by `python -m`: its scripts have the other name in them.)
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const requirements = join(import.meta.dirname, 'emulator-requirements.txt');
/** A download of 30 MB on a slow line. */
const installTimeoutMs = 300_000;

/** @returns the path of its Python. @throws Error when there is no Python 3 or no way to the package index */
export async function cloudPython(): Promise<string> {
  const venv = resolve(root, process.env['HOLDFAST_CLOUD_VENV'] ?? '.cloud/venv');
  const wanted = await readFile(requirements, 'utf8');
  if (!(await has(venv, wanted))) await make(venv, wanted);
  return join(venv, 'bin/python');
}

const has = async (venv: string, wanted: string): Promise<boolean> =>
  (await readFile(join(venv, 'installed.txt'), 'utf8').catch(() => '')) === wanted;

async function make(venv: string, wanted: string): Promise<void> {
  const fresh = `${venv}.${process.pid}`;
  await mkdir(dirname(venv), { recursive: true });
  try {
    await run('python3', ['-m', 'venv', fresh]);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    await run(join(fresh, 'bin/python'), [...pip, '-r', requirements], {
      timeout: installTimeoutMs,
    });
    await writeFile(join(fresh, 'installed.txt'), wanted);
    // Another run may have been faster: then its folder serves as well.
    if (await has(venv, wanted)) return;
    await rm(venv, { recursive: true, force: true });
    await rename(fresh, venv);
  } catch (cause) {
    throw new Error(
      `Cannot make the Python environment ${venv} for the cloud tests (Python 3.10 or newer with venv and pip is ` +
        `needed, or AWS_ENDPOINT_URL of an emulator that runs already): ${(cause as Error).message}`,
      { cause },
    );
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}
