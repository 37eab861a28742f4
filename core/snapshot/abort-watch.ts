/** Polls the run's abort mark while something is worked on or waited for, and ends that when it is there: each second, for it may begin anew. */
import type { HoldfastError } from '../contract/errors.ts';
import { isHoldfastError } from '../contract/errors.ts';
import type { Workspace } from '../vault/vault.ts';
import { throwIfAborted } from './marks.ts';

const pollMs = 1_000;

export class AbortWatch {
  /** RunAbortedError once the mark was seen. */
  error: HoldfastError | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(workspace: Workspace, runId: string, onAbort: () => void) {
    this.#timer = setInterval(async () => {
      try {
        await throwIfAborted(workspace, runId);
      } catch (error) {
        // A workspace that cannot be read now is asked again in a second.
        if (!isHoldfastError(error, 'RunAbortedError')) return;
        this.error ??= error;
        onAbort();
      }
    }, pollMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
