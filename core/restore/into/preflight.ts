/**
 * Preflight of mode `into`: what is asked for together with what is there. Nothing is changed.
 *
 * Invariant: it answers with items, also when something is wrong; only a server that cannot be reached is thrown.
 */
import type { Deps } from '../../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../../contract/errors.ts';
import type { Manifest } from '../../contract/manifest.ts';
import type { PreflightItem, RestoreInput } from '../../contract/restore.ts';
import { openSession, type Session } from '../../postgres/session.ts';
import { asSaid } from '../../postgres/without-rows.ts';
import { identifier, literal } from '../../schema/sql-text.ts';
import { onDatabase } from '../target-session.ts';
import { type Placing, placeTables, shown } from './placing.ts';
import { beside, type Finding, keyFindings, lookAtRows } from './preflight-key.ts';
import { columnsDiffer, unfitColumns } from './row-source.ts';
import { type TargetTable, targetTable } from './target-table.ts';

const check = 'into';

/** Sessions of a preflight have no run yet. */
const applicationName = 'holdfast/preflight/into';

/** @throws SourceUnreachableError and its like */
export async function preflightInto(
  deps: Deps,
  input: RestoreInput,
  manifest: Manifest,
): Promise<PreflightItem[]> {
  if (input.database === undefined) {
    return [failed('No database to restore into was named.', 'Name an existing one with --name.')];
  }
  const settings = onDatabase(await deps.connectionOf(input.target), input.database);
  try {
    const placings = placeTables(manifest, input.selection);
    await using session = await openSession(settings, { applicationName, purpose: 'control' });
    const findings: Finding[] = [];
    for (const placing of placings) findings.push(...(await lookAt(session, input, placing)));
    const bad = findings.filter(({ verdict }) => verdict !== 'ok');
    const all = bad.length > 0 ? bad : [ready(placings, findings)];
    return all.map((finding) => ({ check, ...finding }));
  } catch (error) {
    if (
      !isHoldfastError(error, 'UsageError', 'PatternMatchesNothingError', 'DatabaseNotFoundError')
    ) {
      throw error;
    }
    return [failed(error.message, error.hint)];
  }
}

const failed = (message: string, hint: string): PreflightItem => ({
  ...{ check, verdict: 'failed', message, hint },
});

const ready = (placings: readonly Placing[], findings: readonly Finding[]): Finding => ({
  verdict: 'ok',
  message:
    placings.length === 1
      ? (findings[0]?.message ?? 'One table is chosen.')
      : `${placings.length} tables are chosen: ${placings.filter(({ isBeside }) => isBeside).length} go beside their originals.`,
});

async function lookAt(session: Session, input: RestoreInput, placing: Placing): Promise<Finding[]> {
  const target = await targetTable(session, placing.target);
  const findings: Finding[] = [];
  const name = shown(placing.target);
  if (placing.table.dataExcluded !== undefined) {
    findings.push({
      verdict: 'warning',
      message: `The backup has no rows of ${shown(placing.table)} (${placing.table.dataExcluded}).`,
      hint: 'Only its definition can be restored.',
    });
  }
  if (target === undefined) {
    findings.push({ verdict: 'ok', message: `${name} is made.` });
  } else if (placing.isBeside) {
    findings.push({
      verdict: 'failed',
      message: `There is a table ${name} already: the copy needs a name that is free.`,
      hint: 'Choose another name with --as or --into-schema.',
    });
  } else {
    findings.push(...(await intoExisting(session, input, placing, target)));
  }
  return [...findings, ...(await lookAtCondition(session, input, placing, target))];
}

async function intoExisting(
  session: Session,
  input: RestoreInput,
  placing: Placing,
  target: TargetTable,
): Promise<Finding[]> {
  const name = shown(placing.target);
  const { onConflict } = input.selection;
  const findings: Finding[] = [];
  const fail = (message: string, hint: string) =>
    findings.push({ verdict: 'failed', message, hint });
  if (target.relkind !== 'r') {
    fail(`${name} is no table with rows of its own (kind ${target.relkind}).`, beside);
    return findings;
  }
  if (onConflict === undefined) {
    fail(
      `${name} exists: it has to be said what becomes of rows whose key is there already.`,
      'Add --on-conflict error, skip or replace; or --as TABLE to look at them first.',
    );
  } else if (onConflict !== 'error') {
    findings.push(...keyFindings(name, onConflict, placing, target));
  }
  const unfit = unfitColumns(placing.table.columns, target);
  if (unfit.length > 0) {
    const { message, hint } = columnsDiffer(placing, unfit);
    fail(message, hint);
  }
  const unfilled = target.columns.filter(
    (column) => !column.isOptional && !placing.table.columns.includes(column.name),
  );
  if (unfilled.length > 0) {
    const columns = unfilled.map((column) => column.name).join(', ');
    fail(
      `${name} has columns that the backup has no values for, and no default: ${columns}.`,
      beside,
    );
  }
  if (target.rules.length > 0) {
    fail(`${name} has rules that would rewrite the rows: ${target.rules.join(', ')}.`, beside);
  }
  if (!target.mayWrite) {
    fail(
      `This role may not read and write ${name}.`,
      `GRANT SELECT, INSERT, UPDATE ON ${name} TO the role.`,
    );
  }
  if (target.triggers.length > 0) findings.push(triggerFinding(name, target));
  findings.push(...(await lookAtRows(session, input, placing, target)));
  return findings.length > 0 ? findings : [{ verdict: 'ok', message: `${name} is written into.` }];
}

function triggerFinding(name: string, target: TargetTable): Finding {
  const triggers = target.triggers.map((trigger) => trigger.name).join(', ');
  return target.isOwned
    ? {
        verdict: 'warning',
        message: `Triggers of ${name} do not fire for restored rows: ${triggers}.`,
        hint: 'They are disabled within the one transaction that writes the rows. Do by hand what they would have done.',
      }
    : {
        verdict: 'failed',
        message: `${name} has triggers that must not fire for restored rows (${triggers}), and this role may not disable them.`,
        hint: 'Restore as the owner of the table.',
      };
}

/** Asked of the server with no rows: of the table that is there, or of columns of unknown type when it is not. */
async function lookAtCondition(
  session: Session,
  input: RestoreInput,
  { table, isBeside }: Placing,
  target: TargetTable | undefined,
): Promise<Finding[]> {
  const { where } = input.selection;
  // The types of a table that is made come from the backup: the trial run of CreateTarget says what is wrong.
  if (where === undefined || target === undefined || isBeside) return [];
  const columns = target.columns.map(({ name, type }) => `NULL::${type} AS ${identifier(name)}`);
  try {
    await session.query(
      `SELECT FROM (SELECT ${columns.join(', ')}) AS ${identifier(table.name)} WHERE (\n${where}\n) LIMIT 0`,
    );
    return [];
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return [
      {
        verdict: 'failed',
        message: `--where ${literal(where)}: ${asSaid(error)?.message ?? error.message}`,
        hint: 'It is an SQL condition on the columns of the table; functions of your own need their schema.',
      },
    ];
  }
}
