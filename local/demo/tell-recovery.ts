/**
 * The middle of the demo's story: rows and a table are lost, come back, and the backup is proven.
 *
 * Invariant: it is only as expected when the shop has again what it had, and the drill says identical.
 */
import type { Progress } from '../../core/contract/deps.ts';
import type { RestoreReport } from '../../core/contract/restore.ts';
import { splitOf } from '../../core/drill/drill-evidence.ts';
import {
  badDeployment,
  bringBack,
  countShop,
  keepPage,
  prove,
  type Recovering,
  runBadDeployment,
  type ShopCounts,
} from './recovery.ts';

export interface Recovery {
  readonly before: ShopCounts;
  readonly afterDeployment: ShopCounts;
  readonly afterRestore: ShopCounts;
  readonly tableRestore: RestoreReport;
  readonly drill: RestoreReport;
  /** Path of the drill's page, which stays when the demo has ended. */
  readonly page: string;
  /** What went otherwise; null when nothing did. */
  readonly unexpected: string | null;
}

export interface Telling extends Recovering {
  readonly say: (text: string) => void;
  readonly withProgress: <T>(
    work: (onProgress: (event: Progress) => void) => Promise<T>,
  ) => Promise<T>;
}

export async function tellRecovery(telling: Telling): Promise<Recovery> {
  const { say, signal, withProgress } = telling;
  const before = await countShop(telling);
  say(`\n6. A bad deployment\n${badDeployment.map((sql) => `   ${sql};`).join('\n')}`);
  await runBadDeployment(telling);
  const afterDeployment = await countShop(telling);
  say(`   Before: ${inWords(before)}\n   Now:    ${inWords(afterDeployment)}`);

  signal.throwIfAborted();
  say(
    '\n7. The table and the rows come back, into the running database\n' +
      '   $ holdfast restore latest --mode into --table catalog.picture --table sales.purchase_item --on-conflict skip',
  );
  const tableRestore = await withProgress((onProgress) => bringBack(telling, onProgress));
  const afterRestore = await countShop(telling);
  say(
    `   Now:    ${inWords(afterRestore)}\n   ${megabytes(tableRestore.readBytes)} of the vault were read, in ${seconds(tableRestore.rtoMs)}`,
  );

  signal.throwIfAborted();
  say(
    '\n8. Is the whole backup any good? A drill restores all of it to a scratch database and compares\n   $ holdfast drill latest --rto 1h --rpo 24h',
  );
  const drill = await withProgress((onProgress) => prove(telling, onProgress));
  const { downloadAndLoad, index, verify } = splitOf(drill);
  const page = await keepPage(drill);
  say(
    `   ${drill.verdict}: ${drill.tables} tables, ${drill.rows} rows; signed as proven\n` +
      `   ${seconds(drill.rtoMs)}: load ${seconds(downloadAndLoad)}, index ${seconds(index)}, verify ${seconds(verify)}\n` +
      `   Report for the auditor: ${page}`,
  );
  const result = { before, afterDeployment, afterRestore, tableRestore, drill, page };
  return { ...result, unexpected: whatIsWrong(result) };
}

function whatIsWrong(recovery: Omit<Recovery, 'unexpected'>): string | null {
  const { before, afterDeployment, afterRestore, drill } = recovery;
  if (afterDeployment.pictures !== null || afterDeployment.items >= before.items) {
    return 'the bad deployment did no harm';
  }
  if (afterRestore.pictures !== before.pictures || afterRestore.items !== before.items) {
    return `after the restore there are ${inWords(afterRestore)}, not ${inWords(before)}`;
  }
  if (drill.state !== 'succeeded' || drill.verdict !== 'identical') {
    return `the drill ended as ${drill.state}, ${drill.verdict}`;
  }
  return null;
}

const inWords = ({ pictures, items }: ShopCounts): string =>
  `${pictures === null ? 'no table of pictures' : `${pictures} pictures`}, ${items} order items`;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
