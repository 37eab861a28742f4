/** docs/console.md shows the executions as they are: every state, in the order of the definition, with its comment. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { definitions, type Machine, type State } from '../statemachines/definition.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/console.md'), 'utf8');

/** As a reader meets them: what is inside of a Map or a branch comes after it. */
function* inOrder(machine: Machine, depth = 0): Generator<{ name: string; text: string }> {
  for (const [name, state] of Object.entries(machine.States)) {
    const comment = String(state['Comment']).replaceAll('|', '\\|');
    yield { name, text: `| ${'↳ '.repeat(depth)}**${name}** | ${comment} |` };
    for (const inner of insideOf(state)) yield* inOrder(inner, depth + 1);
  }
}

function insideOf(state: State): Machine[] {
  const processor = state['ItemProcessor'] as Machine | undefined;
  const branches = (state['Branches'] ?? []) as Machine[];
  return processor === undefined ? branches : [processor];
}

test.each(definitions())(
  '$name: every state of it, in order, as its comment says',
  ({ name, machine }) => {
    const title = `## ${name.replace('.asl.json', '')}\n`;
    const [, part = ''] = page.split(title);
    const rows = (part.split('\n## ')[0] ?? '').split('\n').filter((line) => line.includes('**'));
    const states = [...inOrder(machine)];
    const shown = rows.map((row) => /^\| (?:↳ )*\*\*(\w+)\*\*/.exec(row)?.[1]).filter(Boolean);
    expect(shown).toEqual(states.map((state) => state.name));
    const tableRows = rows.filter((row) => row.startsWith('|'));
    for (const [index, { text }] of states.entries()) {
      expect(tableRows[index]?.startsWith(text), `${tableRows[index]}\nis not\n${text}`).toBe(true);
    }
  },
);

test('what it tells of errors and outputs names files and commands that there are', () => {
  for (const link of page.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
    const file = join(import.meta.dirname, '../../docs', String(link[1]));
    expect(() => readFileSync(file), String(link[1])).not.toThrow();
  }
});
