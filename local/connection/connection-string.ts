/**
 * Reads the two forms of connection string that libpq knows: `postgresql://…` and `keyword=value …`.
 *
 * Invariant: no message quotes a value, since any part of a string that is wrongly split may be a password.
 * Source: https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-CONNSTRING
 */
import { HoldfastError } from '../../core/contract/errors.ts';

/** By libpq's name of the keyword: host, port, dbname, user, password, sslmode, … */
export type ConnectionParameters = ReadonlyMap<string, string>;

const exampleHint =
  'Write postgresql://user:password@host:5432/database with special characters of the password percent-encoded ' +
  '(@ is %40, / is %2F, : is %3A, % is %25), or leave the password out and use PGPASSWORD or ~/.pgpass.';

function wrong(why: string): HoldfastError {
  return new HoldfastError('UsageError', `The connection string cannot be read: ${why}.`, {
    hint: exampleHint,
  });
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong(`its ${part} has a % that is not followed by two hexadecimal digits`);
  }
}

function parseUrl(text: string): ConnectionParameters {
  const rest = text.slice(text.indexOf('://') + 3);
  const end = rest.search(/[/?]/);
  const authority = end === -1 ? rest : rest.slice(0, end);
  const tail = end === -1 ? '' : rest.slice(end);
  // Here a password with an unescaped / or ? would have been cut in two.
  if (tail.includes('@')) throw wrong('it has an @ after the host');

  const parameters = new Map<string, string>();
  const set = (name: string, value: string) => {
    if (value !== '') parameters.set(name, value);
  };
  const at = authority.lastIndexOf('@');
  const [user = '', ...passwordParts] = authority.slice(0, Math.max(at, 0)).split(':');
  set('user', decode(user, 'user'));
  set('password', decode(passwordParts.join(':'), 'password'));

  const hostPort = /^(?:\[([0-9a-f:.%]*)\]|([^:[\]]*))(?::(.*))?$/i.exec(authority.slice(at + 1));
  if (hostPort === null)
    throw wrong('its host and port are not of the form host:port or [IPv6 address]:port');
  const [, address, host = '', port = ''] = hostPort;
  set('host', decode(address ?? host, 'host'));
  set('port', decode(port, 'port'));

  const [path = '', query = ''] = tail.split(/\?(.*)/s);
  set('dbname', decode(path.slice(1), 'database name'));
  for (const pair of query.split('&').filter((one) => one !== '')) {
    const [name = '', value] = pair.split(/=(.*)/s);
    if (value === undefined) throw wrong('a parameter after the ? has no =');
    parameters.set(decode(name, 'parameters'), decode(value, 'parameters'));
  }
  // As libpq does for JDBC's sake.
  if (parameters.get('ssl') === 'true') {
    parameters.delete('ssl');
    parameters.set('sslmode', parameters.get('sslmode') ?? 'require');
  }
  return parameters;
}

/** `keyword = value`; a value with blanks is quoted by ', and \ escapes. */
const keywordValue =
  /\s*([A-Za-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'(?=\s|$)|((?:[^\s'\\]|\\.)*)(?=\s|$))\s*/gsy;

function parseKeywords(text: string): ConnectionParameters {
  const parameters = new Map<string, string>();
  keywordValue.lastIndex = 0;
  while (keywordValue.lastIndex < text.length) {
    const match = keywordValue.exec(text);
    if (match === null)
      throw wrong('after the last keyword=value that could be read, something else follows');
    const [, name = '', quoted, bare = ''] = match;
    parameters.set(name, (quoted ?? bare).replaceAll(/\\(.)/gs, '$1'));
  }
  return parameters;
}

/** A URL, `keyword=value` pairs, or the mere name of a database. @throws UsageError */
export function parseConnectionString(text: string): ConnectionParameters {
  const trimmed = text.trim();
  if (/^postgres(ql)?:\/\//.test(trimmed)) return parseUrl(trimmed);
  if (trimmed.includes('://')) throw wrong('it begins with neither postgresql:// nor postgres://');
  if (trimmed.includes('=')) return parseKeywords(trimmed);
  if (trimmed === '') throw wrong('it is empty');
  if (/[\s:/@]/.test(trimmed))
    throw wrong('it is neither a URL nor keyword=value nor a name of a database');
  return new Map([['dbname', trimmed]]);
}
