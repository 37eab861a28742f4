/**
 * Runs the entries of pre-data in batches, each in one transaction and in one exchange with the server.
 *
 * A batch is small enough for the lock table (each table takes a lock for itself, its TOAST table and that one's index)
 * and large enough that neither commits nor round trips count.
 */
import { isHoldfastError } from '../../contract/errors.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import type { Session } from '../../postgres/session.ts';
import type { SchemaEntry, SchemaText } from '../../schema/split-entries.ts';
import { once } from '../progress.ts';
import { statementError } from './statement-error.ts';

type Run = Pick<RestoreRun, 'runId' | 'input' | 'backup' | 'workDatabase'>;

/**
 * @param onBatch told after each batch how many entries are done
 * @throws RestoreStatementError with type and name of the entry, TargetFullError, ConnectionLostError …
 */
export async function runBatches(
  session: Session,
  run: Run,
  { preamble, entries }: SchemaText,
  onBatch: (entriesDone: number) => void = () => undefined,
): Promise<void> {
  for (const statement of preamble.filter(isSetting)) await session.query(statement);
  const work = preamble.filter((statement) => !isSetting(statement));
  if (work.length > 0) {
    await once(session, run, 'definitions:preamble', async () => {
      for (const statement of work) await session.query(statement);
      return 0;
    });
  }
  const { batchObjects } = run.input.options;
  for (let from = 0, batch = 0; from < entries.length; from += batchObjects, batch += 1) {
    const part = entries.slice(from, from + batchObjects);
    await once(session, run, `definitions:${batch}`, async () => {
      await runTogether(session, part);
      return 0;
    });
    onBatch(from + part.length);
  }
}

/** Settings of the session, which a second attempt needs as well; the rest is done once. */
const isSetting = (statement: string) => /^(SET |SELECT pg_catalog\.set_config\()/.test(statement);

/** All at once; when one is refused, one by one, so that the error knows which. */
async function runTogether(session: Session, entries: readonly SchemaEntry[]): Promise<void> {
  await session.query('SAVEPOINT batch');
  try {
    await session.query(entries.map(textOf).join(';\n'));
    return;
  } catch (error) {
    const mapped = statementError(error, 'DEFINITIONS', 'nothing');
    if (!isHoldfastError(mapped, 'RestoreStatementError')) throw mapped;
  }
  await session.query('ROLLBACK TO SAVEPOINT batch');
  for (const entry of entries) {
    try {
      await session.query(textOf(entry));
    } catch (error) {
      throw statementError(error, nameOf(entry), 'nothing');
    }
  }
}

const textOf = ({ statements }: SchemaEntry) => statements.join(';\n');

const nameOf = ({ type, schema, name }: SchemaEntry) =>
  `${type} ${schema === null ? '' : `${schema}.`}${name}`;
