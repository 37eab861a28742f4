/** Runs the real CDK CLI against the emulator. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

export interface CdkOptions {
  /** Environment of the process beside PATH and HOME. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  /** Default: the root of the repository. */
  readonly cwd?: string;
}

/** @throws Error with the end of its output when it does not end well in time */
export async function cdk(args: readonly string[], { env, timeoutSeconds, cwd }: CdkOptions) {
  const child = spawn(process.execPath, [join(root, 'node_modules/aws-cdk/bin/cdk'), ...args], {
    cwd: cwd ?? root,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      CI: 'true',
      CDK_DISABLE_VERSION_CHECK: '1',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutSeconds * 1000,
    killSignal: 'SIGKILL',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...end) => resolve(end));
  });
  if (code !== 0) {
    const end = signal === null ? `exit code ${code}` : `${signal} after ${timeoutSeconds} s`;
    throw new Error(`cdk ${args.join(' ')}: ${end}\n${output.slice(-6000)}`);
  }
  return output;
}
