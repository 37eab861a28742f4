/**
 * The few messages of the server around CopyData: collects them from pieces of any size and keeps what they tell.
 *
 * Invariant: `isReady` only after ReadyForQuery, that is when the session may be used again.
 */
import type { DatabaseError } from 'pg';
import { HoldfastError } from '../contract/errors.ts';
import { parseErrorResponse } from './server-error.ts';

const headerBytes = 5;
/** Larger than any of these messages: something else speaks here. */
const largestMessage = 1 << 20;

export class ControlMessages {
  /** Of CommandComplete `COPY n`; undefined until it came. */
  completedRows: number | undefined;
  error: DatabaseError | undefined;
  /** The server waits for CopyData. */
  isCopyIn = false;
  isReady = false;
  #partial: Buffer | undefined;

  /** Between two messages? Then the next byte says whether it is CopyData, which is not for here. */
  get isIdle(): boolean {
    return this.#partial === undefined;
  }

  /**
   * Takes bytes of at most one message. @returns how many were taken
   * @throws CopyFailedError for a message that does not belong to COPY
   */
  take(input: Buffer): number {
    const before = this.#partial?.length ?? 0;
    // At most a message: what follows may be CopyData.
    let message = this.#partial === undefined ? input : Buffer.concat([this.#partial, input]);
    const length = message.length < headerBytes ? headerBytes : 1 + message.readUInt32BE(1);
    if (length > largestMessage) throw unexpected(message[0]);
    if (message.length < length) {
      this.#partial = Buffer.from(message);
      return input.length;
    }
    this.#partial = undefined;
    message = message.subarray(0, length);
    this.#handle(message[0] as number, message.subarray(headerBytes));
    return length - before;
  }

  #handle(type: number, body: Buffer): void {
    switch (String.fromCharCode(type)) {
      case 'C':
        this.completedRows = Number(
          /^COPY (\d+)\0$/.exec(body.toString('latin1'))?.[1] ?? Number.NaN,
        );
        return;
      case 'E':
        this.error ??= parseErrorResponse(body);
        return;
      case 'Z':
        this.isReady = true;
        return;
      case 'G':
        this.isCopyIn = true;
        return;
      // CopyOutResponse, CopyDone, NoticeResponse, ParameterStatus, NotificationResponse.
      case 'H':
      case 'c':
      case 'N':
      case 'S':
      case 'A':
        return;
      default:
        throw unexpected(type);
    }
  }
}

function unexpected(type: number | undefined): HoldfastError {
  return new HoldfastError(
    'CopyFailedError',
    `The server sent a message of type 0x${type?.toString(16)} within COPY; expected were CopyData and its end.`,
  );
}
