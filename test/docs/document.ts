/**
 * A document as its tests read it: every fenced block with the heading that it stands under, in order.
 *
 * The convention (docs/README.md tells it to readers): what is ```bash or ```sql is executed by a test, from the document
 * itself; a ```text right after it is what one sees, and is looked for in the output, `…` standing for anything. Nothing else may be
 * marked as a command, so nothing can be left out unseen.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface Block {
  /** Of the repository, with the line of its first fence: for messages. */
  readonly place: string;
  /** The heading of level 2 that it stands under; empty before the first. */
  readonly section: string;
  readonly language: string;
  readonly text: string;
  /** Lines that its output shows in this order; empty when the document does not say. */
  readonly shows: readonly string[];
}

/** Documents of which every command is executed. */
export const executedDocuments = [
  'README.md',
  'docs/deploy.md',
  'docs/disaster-recovery.md',
] as const;

/** @param document path in the repository @throws Error for a fence that is never closed */
export function readBlocks(document: string): Block[] {
  const blocks: (Omit<Block, 'shows'> & { shows: string[]; isFollowed: boolean })[] = [];
  let section = '';
  let open: { language: string; line: number; indent: string; lines: string[] } | undefined;
  for (const [at, line] of readFileSync(join(root, document), 'utf8').split('\n').entries()) {
    const [, indent = '', language = ''] = /^(\s*)```(\S*)/.exec(line) ?? [];
    const isFence = /^\s*```/.test(line);
    if (open !== undefined) {
      if (!isFence) open.lines.push(line.slice(Math.min(open.indent.length, line.search(/\S|$/))));
      else {
        const text = open.lines.join('\n');
        const last = blocks.at(-1);
        const isShown = open.language === 'text' && last?.isFollowed === true;
        if (isShown) last.shows = open.lines.map((one) => one.trim()).filter((one) => one !== '');
        blocks.push({
          place: `${document}:${open.line}`,
          ...{ section, language: open.language, text, shows: [] },
          isFollowed: isCommand(open.language),
        });
        open = undefined;
      }
    } else if (isFence) open = { language, line: at + 1, indent, lines: [] };
    else if (/^## /.test(line)) section = line.slice(3).trim();
    // Between a command and what it shows stands "You see:" at most.
    const last = blocks.at(-1);
    const isBetween = open === undefined && !isFence && line.trim() !== '';
    if (isBetween && last !== undefined && !/^\s*You see/.test(line)) last.isFollowed = false;
  }
  if (open !== undefined) throw new Error(`${document}:${open.line}: the fence is never closed`);
  return blocks.map(({ isFollowed: _, ...block }) => block);
}

export const isCommand = (language: string): boolean => language === 'bash' || language === 'sql';

/** Where a command runs: with a deployment on AWS, or on one machine. SQL stands only where a person has no command of ours. */
export const runsOn = ({ language, text }: Block): 'aws' | 'machine' =>
  language === 'sql' || /\baws [a-z]|--env\b|\b(AWS_REGION|DEPLOYMENT)\b/.test(text)
    ? 'aws'
    : 'machine';

/** What of the document is executed there, section by section, in the document's order. */
export function sectionsOn(
  document: string,
  where: ReturnType<typeof runsOn>,
): Map<string, readonly Block[]> {
  const sections = new Map<string, Block[]>();
  for (const block of readBlocks(document)) {
    if (!isCommand(block.language) || runsOn(block) !== where) continue;
    sections.set(block.section, [...(sections.get(block.section) ?? []), block]);
  }
  return sections;
}

/**
 * The block in which a reader writes what is his, with a test's values in their place. A line that takes its value from
 * another name stays as it is.
 * @throws Error when a name has no value here, or a value has no name there
 */
export function withValues(block: Block, values: Readonly<Record<string, string>>): Block {
  const left = new Set(Object.keys(values));
  const lines = block.text.split('\n').map((line) => {
    const [, name] = /^export (\w+)=/.exec(line) ?? [];
    if (name === undefined) {
      throw new Error(`${block.place}: among values stands ${JSON.stringify(line)}`);
    }
    if (/^export \w+="\$\w+"\s*(#|$)/.test(line)) return line;
    const value = values[name];
    if (value === undefined) throw new Error(`${block.place}: the test has no value of ${name}`);
    left.delete(name);
    return `export ${name}='${value.replaceAll("'", `'\\''`)}'`;
  });
  if (left.size > 0) throw new Error(`${block.place} has no ${[...left].join(', ')}`);
  return { ...block, text: lines.join('\n') };
}
