/**
 * Gives the SDK's decrypt stream the errors of the catalogue, without another stream around it.
 *
 * Invariant: one `error` event, and it is a DecryptionError unless the stream was destroyed with an error of ours.
 */
import type { Duplex } from 'node:stream';
import { HoldfastError } from '../contract/errors.ts';
import type { EncryptionContext } from './key-ring.ts';

export function withDecryptionErrors(stream: Duplex, context: EncryptionContext): Duplex {
  const emit = stream.emit.bind(stream);
  let hasFailed = false;
  // The SDK's inner streams all report to the outer one by emitting on it, some of them twice.
  stream.emit = (event: string | symbol, ...details: unknown[]): boolean => {
    if (event !== 'error') return emit(event, ...details);
    if (hasFailed) return false;
    hasFailed = true;
    return emit('error', toDecryptionError(details[0], context));
  };
  return stream;
}

function toDecryptionError(error: unknown, context: EncryptionContext): unknown {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  // Not ours to rename: an abort, or a neighbour in the pipeline that ended.
  if (error instanceof HoldfastError || code === 'ABORT_ERR' || code?.startsWith('ERR_STREAM_')) {
    return error;
  }
  const said = error instanceof Error ? error.message : String(error);
  return new HoldfastError('DecryptionError', `${context.object} does not decrypt: ${said}.`, {
    cause: error,
    evidence: { object: context.object },
  });
}
