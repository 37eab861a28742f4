/** The server's side of the wire: the greeting that we answer ourselves, and where an answer ends. */

function message(letter: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(letter, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/**
 * AuthenticationOk, ParameterStatus…, BackendKeyData, ReadyForQuery: what a client gets that is let in.
 * The cancel key is 0: this client never cancels, ending the socket does.
 */
export function greeting(parameters: ReadonlyMap<string, string>, backendPid: number): Uint8Array {
  const key = Buffer.alloc(8);
  key.writeInt32BE(backendPid, 0);
  return Buffer.concat([
    message('R', Buffer.alloc(4)),
    ...[...parameters].map(([name, value]) => message('S', Buffer.from(`${name}\0${value}\0`))),
    message('K', key),
    message('Z', Buffer.from('I')),
  ]);
}

const readyForQuery = 'Z'.charCodeAt(0);
const headLength = 5;

/** Collects chunks until the given number of ReadyForQuery messages has come. One answer, one collector. */
export class AnswerCollector {
  readonly #chunks: Buffer[] = [];
  readonly #head = Buffer.alloc(headLength);
  #headFilled = 0;
  #bodyLeft = 0;
  #answersLeft: number;

  constructor(answers: number) {
    this.#answersLeft = answers;
  }

  /** True when the answer is complete. */
  push(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    for (let at = 0; at < chunk.length; ) {
      if (this.#headFilled < headLength) {
        const taken = chunk.copy(
          this.#head,
          this.#headFilled,
          at,
          at + headLength - this.#headFilled,
        );
        this.#headFilled += taken;
        at += taken;
        if (this.#headFilled < headLength) break;
        this.#bodyLeft = this.#head.readUInt32BE(1) - 4;
      }
      const skipped = Math.min(this.#bodyLeft, chunk.length - at);
      this.#bodyLeft -= skipped;
      at += skipped;
      if (this.#bodyLeft === 0) {
        if (this.#head[0] === readyForQuery) this.#answersLeft -= 1;
        this.#headFilled = 0;
      }
    }
    return this.#answersLeft <= 0;
  }

  /** Everything so far, in a buffer of its own. */
  bytes(): Uint8Array {
    const all = new Uint8Array(this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }
}
