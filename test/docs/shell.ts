/**
 * Executes blocks of a document as a reader does who types them into one shell, one after the other: what a block has set
 * the next one knows, and one that ends badly ends the test with its output.
 */
import { spawn } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Block } from './document.ts';

export interface Shell {
  /** @returns what it printed, both streams as they came @throws Error unless it ended well and showed what it should */
  run(block: Block): Promise<string>;
}

export interface ShellOptions {
  /** Where the reader stands; programs that the test puts first on the PATH go below it. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Other programs: name to the script that stands in for it, or leads to it. */
  readonly programs?: Readonly<Record<string, string>>;
  readonly timeoutSeconds?: number;
}

const program = join(process.env['HOLDFAST_TEST_PROGRAM'] ?? '', 'holdfast.js');
/** What is in dist/ may be older than the tree: the same program, as test/support/program.ts bundles it. */
const holdfast = `exec '${process.execPath}' '${program}' "$@"`;
const ownPrograms = { holdfast, npx: '"$@"' };

const machine = () => ({
  LANG: 'C.UTF-8',
  TMPDIR: process.env['TMPDIR'] ?? '/tmp',
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
});

export async function openShell(options: ShellOptions): Promise<Shell> {
  const { folder, env, programs = {}, timeoutSeconds = 300 } = options;
  const bin = join(folder, '.bin');
  const state = join(folder, '.state');
  await mkdir(bin, { recursive: true });
  for (const [name, script] of Object.entries({ ...ownPrograms, ...programs })) {
    await writeFile(join(bin, name), `#!/usr/bin/env bash\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  await writeFile(state, '');
  const path = [bin, dirname(process.execPath), process.env['PATH'] ?? ''].join(':');
  return {
    async run(block) {
      const script = `set -euo pipefail\nsource '${state}'\nset -a\n${block.text}\nset +a\nexport -p > '${state}'\n`;
      const { code, output } = await bash(script, {
        cwd: folder,
        timeoutSeconds,
        env: { ...machine(), ...env, PATH: path },
      });
      if (code !== 0) {
        throw new Error(
          `${block.place} ended with ${code}:\n${block.text}\n--- it printed\n${output}`,
        );
      }
      requireShown(block, output);
      return output;
    },
  };
}

function bash(
  script: string,
  { cwd, env, timeoutSeconds }: { cwd: string; env: NodeJS.ProcessEnv; timeoutSeconds: number },
): Promise<{ code: number | string; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', script], {
      ...{ cwd, env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutSeconds * 1000,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code: code ?? String(signal), output }));
  });
}

/** @throws Error for the first line of what "you see" that the output does not have after the one before */
function requireShown({ place, shows }: Block, output: string): void {
  let rest = output;
  for (const line of shows) {
    const found = patternOf(line).exec(rest);
    if (found === null) {
      throw new Error(`${place}: one should see\n  ${line}\nand sees\n${output}`);
    }
    rest = rest.slice(found.index + found[0].length);
  }
}

const patternOf = (line: string): RegExp =>
  new RegExp(
    line
      .split('…')
      .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
      .join('[^\\n]*'),
  );
