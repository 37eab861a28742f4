/**
 * Workflow files of GitHub Actions, as far as examples/ uses YAML: maps and lists by indentation, `|` texts, words in one
 * line. Whatever else there is, is refused, so that nothing is read as something that it is not.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { root } from './document.ts';

const stepSchema = z.strictObject({
  name: z.string().optional(),
  if: z.literal('always()').optional(),
  run: z.string().optional(),
  uses: z.string().optional(),
  with: z.record(z.string(), z.string()).optional(),
});

const workflowSchema = z.strictObject({
  name: z.string(),
  on: z.strictObject({
    schedule: z.array(z.strictObject({ cron: z.string() })).optional(),
    workflow_dispatch: z.literal('').optional(),
  }),
  permissions: z.union([z.literal('{}'), z.record(z.string(), z.string())]),
  concurrency: z.strictObject({ group: z.string(), 'cancel-in-progress': z.literal('false') }),
  jobs: z.record(
    z.string(),
    z.strictObject({
      'runs-on': z.string(),
      'timeout-minutes': z.string(),
      env: z.record(z.string(), z.string()),
      steps: z.array(stepSchema).min(1),
    }),
  ),
});
export type Workflow = z.infer<typeof workflowSchema>;

/** @throws Error, ZodError for what is no workflow of this kind */
export const readWorkflow = (path: string): Workflow =>
  workflowSchema.parse(parseYaml(readFileSync(join(root, path), 'utf8')));

type Node = string | Node[] | { [key: string]: Node };
interface Line {
  readonly indent: number;
  readonly text: string;
}

function parseYaml(text: string): Node {
  const lines = text.split('\n').map((line) => ({
    indent: line.search(/\S|$/),
    text: line.trim(),
  }));
  const reader = { lines, at: 0 };
  skipEmpty(reader);
  const value = readNode(reader, 0);
  skipEmpty(reader);
  if (reader.at < lines.length) throw new Error(`line ${reader.at + 1} stands nowhere`);
  return value;
}

interface Reader {
  readonly lines: Line[];
  at: number;
}

function skipEmpty(reader: Reader): Line | undefined {
  let line = reader.lines[reader.at];
  while (line !== undefined && (line.text === '' || line.text.startsWith('#'))) {
    reader.at += 1;
    line = reader.lines[reader.at];
  }
  return line;
}

function readNode(reader: Reader, indent: number): Node {
  return skipEmpty(reader)?.text.startsWith('- ')
    ? readList(reader, indent)
    : readMap(reader, indent);
}

function readList(reader: Reader, indent: number): Node[] {
  const items: Node[] = [];
  let line = skipEmpty(reader);
  while (line?.indent === indent && line.text.startsWith('- ')) {
    // What follows the dash is the first line of a map that is two further in.
    reader.lines[reader.at] = { indent: indent + 2, text: line.text.slice(2) };
    items.push(readMap(reader, indent + 2));
    line = skipEmpty(reader);
  }
  return items;
}

function readMap(reader: Reader, indent: number): Node {
  const map: { [key: string]: Node } = {};
  let line = skipEmpty(reader);
  while (line?.indent === indent && !line.text.startsWith('- ')) {
    const [, key, rest] = /^([\w-]+):(?: (.*))?$/.exec(line.text) ?? [];
    if (key === undefined || key in map) throw new Error(`line ${reader.at + 1}: ${line.text}`);
    reader.at += 1;
    map[key] = rest === '|' ? readText(reader, indent + 2) : readValue(reader, indent, rest);
    line = skipEmpty(reader);
  }
  return map;
}

function readValue(reader: Reader, indent: number, rest: string | undefined): Node {
  if (rest !== undefined) return scalar(rest);
  const next = skipEmpty(reader);
  return next !== undefined && next.indent > indent ? readNode(reader, next.indent) : '';
}

function readText(reader: Reader, indent: number): string {
  const lines: string[] = [];
  let line = reader.lines[reader.at];
  while (line !== undefined && (line.text === '' || line.indent >= indent)) {
    lines.push(' '.repeat(Math.max(line.indent - indent, 0)) + line.text);
    reader.at += 1;
    line = reader.lines[reader.at];
  }
  return lines.join('\n').trimEnd();
}

/** @throws Error for words that YAML would read otherwise than they stand there */
function scalar(text: string): string {
  if (/^'[^']*'$/.test(text)) return text.slice(1, -1);
  if (/^["'&*!|>%@`]/.test(text) || / #|: /.test(text)) throw new Error(`not read here: ${text}`);
  return text;
}
