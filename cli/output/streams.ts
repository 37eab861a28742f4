/** Where text leaves the process: results on stdout, everything else on stderr. Nothing unmasked passes here. */
import { maskSecrets } from '../../core/mask-secrets.ts';

/** A result for people, on stdout. */
export function print(text: string): void {
  process.stdout.write(`${maskSecrets(text)}\n`);
}

/** The one JSON document of a command, on stdout. Masked string by string: no pattern may reach over a quote. */
export function printJson(value: unknown): void {
  const mask = (_: string, part: unknown) => (typeof part === 'string' ? maskSecrets(part) : part);
  process.stdout.write(`${JSON.stringify(value, mask, 2)}\n`);
}

/** Progress, warnings and errors, on stderr. */
export function printLine(text: string): void {
  process.stderr.write(`${maskSecrets(text)}\n`);
}

/** `holdfast list | head` is no error. */
export function ignoreClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** `process.exit` would cut off what a slow reader has not taken yet. */
export async function flushOutput(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.destroyed || stream.writableLength === 0) continue;
    await new Promise<void>((resolve) => {
      stream.once('error', () => resolve());
      stream.write('', () => resolve());
    });
  }
}
