/** What pg_dump said when it failed, as an error of the catalogue that quotes it. */
import { type ErrorName, HoldfastError } from '../contract/errors.ts';

/** A quoted query may be a LOCK TABLE of all tables. */
const longestLine = 400;

/** WebAssembly has no executable of its own to look for; pg_dump goes on without. */
const noise = [
  /^invalid binary/,
  /^could not find a "pg_dump" to execute/,
  /^could not find own program executable/,
  /^could not identify current directory/,
];

const known: readonly [RegExp, ErrorName][] = [
  [/no matching (?:schemas|tables|extensions) were found/, 'PatternMatchesNothingError'],
  [/improper (?:qualified|relation) name|cross-database references/, 'UsageError'],
  [/permission denied/, 'PermissionDeniedError'],
  [
    /canceling statement due to (?:statement|lock) timeout|could not obtain lock/,
    'LockNotAvailableError',
  ],
  [/out of shared memory/, 'LockTableTooSmallError'],
  [/invalid snapshot identifier|snapshot "[^"]*" does not exist/, 'SnapshotLostError'],
  [/the source (?:process|transaction) .* is not running/, 'SnapshotLostError'],
  [/aborting because of server version mismatch/, 'UnsupportedServerVersionError'],
  [
    /server closed the connection|terminating connection|connection to server was lost/,
    'ConnectionLostError',
  ],
  [/invalid byte sequence for encoding|has no equivalent in encoding/, 'EncodingError'],
];

/** pgDump() puts the lines of stderr together without line breaks; each begins with the program's name. */
function linesOf(stderr: string): string[] {
  const said = stderr.replace(/^pg_dump failed with exit code \d+\.\s*Error message:\s*/, '');
  return said
    .split(/pg_dump: (?=error: |detail: |hint: |warning: )|\n/)
    .map((line) => line.replace(/^error: /, '').trim())
    .filter((line) => line !== '' && !noise.some((pattern) => pattern.test(line)))
    .map((line) => (line.length > longestLine ? `${line.slice(0, longestLine)} …` : line));
}

/** @param stderr what pgDump() threw */
export function schemaDumpError(stderr: string, cause?: unknown): HoldfastError {
  const said = linesOf(stderr);
  const quoted = said.slice(0, 10).join('; ') || 'it said nothing';
  // The query that is quoted after it may hold any words.
  const query = said.findIndex((line) => line.startsWith('detail: Query was'));
  const verdict = (query < 0 ? said : said.slice(0, query)).join('\n');
  const name = known.find(([pattern]) => pattern.test(verdict))?.[1] ?? 'SchemaDumpError';
  return new HoldfastError(name, `pg_dump could not write the schema: ${quoted}`, {
    evidence: { pgDump: said.slice(0, 10) },
    ...(cause === undefined ? {} : { cause }),
  });
}
