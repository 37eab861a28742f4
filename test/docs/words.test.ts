/** What the documents for operators name is there: commands and their options, errors, files that they link to. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { makeProgram } from '../../cli/program.ts';
import { errorCatalogue } from '../../core/contract/errors.ts';
import { root } from './document.ts';

const documents = [
  ...['disaster-recovery', 'troubleshooting', 'testing', 'operations', 'README'].map(
    (name) => `docs/${name}.md`,
  ),
  'docs/deploy.md',
  'examples/README.md',
  'README.md',
];
const read = (document: string) => readFileSync(join(root, document), 'utf8');

const program = makeProgram(() => undefined);
const longOptions = (command: { readonly options: readonly { long?: string | undefined }[] }) =>
  command.options.map(({ long }) => long);

/** Each `holdfast …` of a document, to the end of its line, its code or its part of a pipe. */
const commandLines = (text: string): string[] =>
  [...text.replaceAll('\\\n', ' ').matchAll(/holdfast (?=[a-z-])([^`\n|;&#)]*)/g)].map(
    ([, rest = '']) => rest.replace(/'[^']*'|"[^"]*"/g, 'WORD'),
  );

test.each(documents)('%s: commands of holdfast and their options exist', (document) => {
  const wrong: string[] = [];
  for (const line of commandLines(read(document))) {
    const words = line.split(/ -- /)[0]?.split(/\s+/) ?? [];
    const command = program.commands.find((each) => words.includes(each.name()));
    const known = [...longOptions(program), ...(command ? longOptions(command) : []), '--help'];
    const options = words.filter((word) => word.startsWith('--')).map((it) => it.split('=')[0]);
    if (command === undefined && words[0] !== 'COMMAND') continue;
    wrong.push(...options.filter((it) => !known.includes(it)).map((it) => `${it} in: ${line}`));
  }
  expect(wrong).toEqual([]);
});

test('troubleshooting names errors that exist, and every one that a person can do something about', () => {
  const text = read('docs/troubleshooting.md');
  const named = new Set([...text.matchAll(/`(\w+Error)`/g)].map(([, name]) => name));
  const known = Object.keys(errorCatalogue);
  expect([...named].filter((name) => !known.includes(String(name)))).toEqual([]);
  // What ends by itself, what is only ever a consequence, and what is a fault of ours.
  const elsewhere = new Set([
    ...[
      'RunAbortedError',
      'IncompleteBackupError',
      'CopyIncompleteError',
      'PreconditionFailedError',
    ],
    ...['RowTooLargeForTextError', 'ReplicaBehindError', 'InvalidObjectKeyError', 'VaultIoError'],
    ...['ConnectionLostError', 'SchemaDumpError', 'CopyFailedError', 'ManifestInvalidError'],
    ...['DatabaseNotFoundError', 'DatabaseInstanceNotFoundError', 'ObjectNotFoundError'],
  ]);
  expect(known.filter((name) => !named.has(name) && !elsewhere.has(name))).toEqual([]);
});

test.each(documents)('%s: what it links to is there', (document) => {
  const wrong: string[] = [];
  for (const [, target = ''] of read(document).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^https?:/.test(target)) continue;
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? join(root, document) : join(dirname(join(root, document)), path);
    if (!existsSync(file)) wrong.push(target);
    else if (anchor !== undefined && !anchorsOf(file).has(anchor)) wrong.push(target);
  }
  expect(wrong).toEqual([]);
});

/** As GitHub makes them of headings. */
function anchorsOf(file: string): ReadonlySet<string> {
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, text = '']) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );
}

test('the index names every document', () => {
  const index = read('docs/README.md');
  const all = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
  expect(all.filter((name) => name !== 'README.md' && !index.includes(`(${name})`))).toEqual([]);
});
