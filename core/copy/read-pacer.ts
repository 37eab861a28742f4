/**
 * Makes few large reads out of many small ones, and stops reading while nobody takes what was read.
 *
 * A server writes COPY in pieces of 8 KB, and a reader that is as fast gets them one by one: each costs a wake-up, a
 * read and a pass through the event loop. When one turn of the loop brought less than `smallTurnBytes`, reading pauses for
 * 1 ms, in which the kernel collects (measured on 1 GB: 54,000 reads became 6,000). Invariant: data is never dropped,
 * and the end of a stream waits 1 ms at most.
 */
import type { Socket } from 'node:net';

const smallTurnBytes = 128 * 1024;
const pauseMs = 1;
/** A small table ends before this much has come, and shall not wait at all. */
const unpacedBytes = 1 << 20;

export class ReadPacer {
  readonly #socket: Pick<Socket, 'pause' | 'resume'>;
  #totalBytes = 0;
  #turnBytes = 0;
  #isTurnOpen = false;
  #timer: NodeJS.Timeout | undefined;
  #isBlocked = false;
  #isStopped = false;

  constructor(socket: Pick<Socket, 'pause' | 'resume'>) {
    this.#socket = socket;
  }

  noteRead(bytes: number): void {
    this.#totalBytes += bytes;
    this.#turnBytes += bytes;
    if (this.#isTurnOpen || this.#totalBytes < unpacedBytes) return;
    this.#isTurnOpen = true;
    setImmediate(() => this.#endTurn());
  }

  /** No room: reading stops until `unblock`. */
  block(): void {
    this.#isBlocked = true;
    this.#socket.pause();
  }

  unblock(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    if (this.#timer === undefined && !this.#isStopped) this.#socket.resume();
  }

  /** Leaves the socket reading: who uses it next, or says goodbye on it, waits for answers. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    if (this.#timer !== undefined || this.#isBlocked) this.#socket.resume();
    this.#timer = undefined;
    this.#isBlocked = false;
  }

  #endTurn(): void {
    const isSmall = this.#turnBytes < smallTurnBytes;
    this.#isTurnOpen = false;
    this.#turnBytes = 0;
    if (!isSmall || this.#isBlocked || this.#isStopped) return;
    this.#socket.pause();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#isBlocked) this.#socket.resume();
    }, pauseMs);
  }
}
