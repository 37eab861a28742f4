import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const folder = join(import.meta.dirname, '../../docs/adr');
const read = (file: string) => readFileSync(join(folder, file), 'utf8');
const decisions = readdirSync(folder).filter((file) => file !== 'README.md');

test.each(decisions)('%s has its number, a status, and the parts in one order', (file) => {
  const text = read(file);
  const number = Number(file.slice(0, 4));
  expect(text.split('\n')[0]).toMatch(new RegExp(`^# ${number}\\. \\S`));
  expect(text.split('\n')[1]).toMatch(
    /^\*\*Status\*\* (accepted|superseded by \d{4}), \d{4}-\d\d-\d\d\.$/,
  );
  const parts = [...text.matchAll(/^\*\*(Status|Context|Options|Decision|Consequences)\*\*/gm)].map(
    ([, part]) => part,
  );
  expect(parts.filter((part) => part !== 'Options')).toEqual([
    ...['Status', 'Context', 'Decision', 'Consequences'],
  ]);
  if (parts.includes('Options')) expect(parts.indexOf('Options')).toBe(2);
  // Another way to begin a part would not be seen above.
  expect(text).not.toMatch(/^(## |\*\*(Decided|Why|Costs|Shown)\b)/m);
});

test('the index lists each, once, by its number', () => {
  const listed = [...read('README.md').matchAll(/^\| \[(\d{4})\]\(([^)]+)\) \| \S/gm)];
  expect(listed.map(([, , file]) => file)).toEqual(decisions);
  for (const [, number, file] of listed) expect(file?.startsWith(`${number}-`)).toBe(true);
});
