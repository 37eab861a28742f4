/**
 * Collects the bytes that libpq writes, in whatever pieces, into what the server can be asked with one answer each.
 * Message formats: https://www.postgresql.org/docs/current/protocol-message-formats.html
 *
 * Invariant: nothing leaves before it is whole, and a request leaves only when the server will answer it with
 * ReadyForQuery: the reader behind it takes "no bytes" for the end of the connection.
 */
import type { Exchange } from './pg-dump-channel.ts';

export type FrontendStep =
  | { readonly kind: 'encryption-request' }
  | { readonly kind: 'start-up' }
  | ({ readonly kind: 'exchange' } & Exchange);

const sslRequest = 80_877_103;
const gssEncryptionRequest = 80_877_104;
const cancelRequest = 80_877_102;

/** Query, Sync, FunctionCall: each is answered with one ReadyForQuery. */
const answered = new Set(['Q', 'S', 'F'].map((letter) => letter.charCodeAt(0)));
const terminate = 'X'.charCodeAt(0);

export class FrontendFrames {
  #pending = Buffer.alloc(0);
  #isStarted = false;

  /** @param bytes may be a view of memory that changes afterwards: it is copied. */
  push(bytes: Uint8Array): FrontendStep[] {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    const steps: FrontendStep[] = [];
    while (!this.#isStarted) {
      const step = this.#takeUntyped();
      if (step === undefined) return steps;
      steps.push(...step);
    }
    const request = this.#takeRequest();
    if (request !== undefined) steps.push({ kind: 'exchange', ...request });
    return steps;
  }

  /** The packets before authentication have a length and no letter. */
  #takeUntyped(): FrontendStep[] | undefined {
    if (this.#pending.length < 8) return undefined;
    const length = this.#pending.readUInt32BE(0);
    if (this.#pending.length < length) return undefined;
    const code = this.#pending.readUInt32BE(4);
    this.#pending = this.#pending.subarray(length);
    if (code === sslRequest || code === gssEncryptionRequest)
      return [{ kind: 'encryption-request' }];
    if (code === cancelRequest) return [];
    this.#isStarted = true;
    return [{ kind: 'start-up' }];
  }

  #takeRequest(): Exchange | undefined {
    let end = 0;
    let answers = 0;
    for (let at = 0; at + 5 <= this.#pending.length; ) {
      const letter = this.#pending[at];
      const next = at + 1 + this.#pending.readUInt32BE(at + 1);
      if (next > this.#pending.length || letter === terminate) break;
      if (letter !== undefined && answered.has(letter)) {
        answers += 1;
        end = next;
      }
      at = next;
    }
    if (answers === 0) return undefined;
    const bytes = new Uint8Array(this.#pending.subarray(0, end));
    this.#pending = this.#pending.subarray(end);
    return { bytes, answers };
  }
}
