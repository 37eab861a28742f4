/** Errors that only a target has, of statements that are not COPY: COMMIT, TRUNCATE, lo_put … */
import { HoldfastError, isHoldfastError } from '../../contract/errors.ts';
import { sqlstateOf } from '../../postgres/connect-errors.ts';

/** @param what `Loading unit 7`: the sentence's beginning */
export function asTargetError(error: unknown, what: string): unknown {
  if (!isHoldfastError(error, 'InternalError')) return error;
  const sqlstate = sqlstateOf(error);
  if (sqlstate === undefined) return error;
  const name = sqlstate === '53100' ? 'TargetFullError' : 'RestoreStatementError';
  return new HoldfastError(name, `${what}: ${error.message}`, {
    cause: error,
    evidence: error.evidence,
  });
}
