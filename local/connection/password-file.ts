/**
 * Looks a password up in `.pgpass`, by libpq's rules: the first line that matches counts, and a file that others can
 * read is not used.
 * Source: https://www.postgresql.org/docs/18/libpq-pgpass.html
 */
import { readFileSync, type Stats, statSync } from 'node:fs';

export interface PasswordQuery {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/** Fields are separated by `:`; `\` escapes `:` and itself. */
function fieldsOf(line: string): string[] {
  const fields = [''];
  for (let i = 0; i < line.length; i++) {
    const char = line.charAt(i);
    if (char === '\\' && i + 1 < line.length) fields[fields.length - 1] += line.charAt(++i);
    // The fifth field is the password: libpq takes the rest of the line, colons and all.
    else if (char === ':' && fields.length < 5) fields.push('');
    else fields[fields.length - 1] += char;
  }
  return fields;
}

function isUsable(stats: Stats, path: string, warn: (message: string) => void): boolean {
  if (!stats.isFile()) {
    warn(`The password file ${path} is not a plain file and is not used.`);
    return false;
  }
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
    warn(
      `The password file ${path} can be read by others (mode ${mode}) and is not used: chmod 600 it.`,
    );
    return false;
  }
  return true;
}

/** @returns undefined when there is no file, no line for this connection, or the file is not to be trusted */
export function passwordFromFile(
  path: string,
  query: PasswordQuery,
  warn: (message: string) => void,
): string | undefined {
  let text: string;
  try {
    if (!isUsable(statSync(path), path, warn)) return undefined;
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT')
      warn(`The password file ${path} cannot be read (${code}) and is not used.`);
    return undefined;
  }
  // A Unix socket is `localhost` in the file.
  const hosts = query.host.startsWith('/') ? [query.host, 'localhost'] : [query.host];
  const wanted = [hosts, [String(query.port)], [query.database], [query.user]];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const fields = fieldsOf(line);
    const matches = wanted.every(
      (values, i) => fields[i] === '*' || values.includes(fields[i] ?? ''),
    );
    if (fields.length === 5 && matches) return fields[4];
  }
  return undefined;
}
