/**
 * Takes secrets out of text that is about to leave the process: the last line of defence, since no message is
 * meant to hold one.
 */

const masked = '****';

const rules: readonly (readonly [RegExp, string])[] = [
  // user:password@ in any URL; a password may hold unescaped `@`, so up to the last one before a blank or quote.
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@"'`]*):[^\s"'`]*@/gi, `$1:${masked}@`],
  // password='it''s' and password=x: keyword=value strings, URL parameters, PGPASSWORD.
  [/\b((?:PG|ssl)?password\s*=\s*)'(?:[^'\\]|\\.|'')*(?:'|$)/gi, `$1${masked}`],
  [/\b((?:PG|ssl)?password\s*=\s*)[^\s&'"]+/gi, `$1${masked}`],
  // As a member of JSON.
  [/("(?:pg)?password"\s*:\s*)"(?:[^"\\]|\\.)*"/gi, `$1"${masked}"`],
  // CREATE ROLE … PASSWORD 'x' in a statement that is quoted.
  // Queries of others are shown cut: the closing quote may be missing.
  [/\b(PASSWORD\s+)(?:E?'(?:[^']|'')*(?:'|$)|\$(\w*)\$[\s\S]*?(?:\$\2\$|$))/gi, `$1'${masked}'`],
  // Tokens of IAM authentication are presigned URLs.
  [/\b(X-Amz-(?:Signature|Security-Token|Credential)=)[^\s&"']+/gi, `$1${masked}`],
];

/** @returns `text` with passwords, and what looks like one, replaced by `****` */
export function maskSecrets(text: string): string {
  return rules.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
}

/** A copy of a JSON value in which each text is masked: no pattern may reach over a quote. */
export function maskTexts<T>(value: T): T {
  const mask = (_: string, part: unknown) => (typeof part === 'string' ? maskSecrets(part) : part);
  return JSON.parse(JSON.stringify(value, mask)) as T;
}
