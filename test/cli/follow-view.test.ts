import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { openFollowView } from '../../cli/output/follow-view.ts';

function terminal(isTTY: boolean) {
  let text = '';
  const output = Object.assign(
    new Writable({
      write(chunk, _, done) {
        text += String(chunk);
        done();
      },
    }),
    { isTTY, columns: 40 },
  ) as unknown as NodeJS.WriteStream;
  return { output, text: () => text };
}

test('in a log, what runs is told when nothing else was for a while', () => {
  const { output, text } = terminal(false);
  let ms = 0;
  const view = openFollowView(output, () => ms);
  view.now(['VerifyUnits units 1/9'], 2_000);
  view.line('  Seal  1.0 s');
  ms = 14_000;
  view.now(['VerifyUnits units 3/9'], 14_000);
  ms = 16_000;
  view.now(['VerifyUnits units 4/9'], 16_000);
  view.now(['VerifyUnits units 5/9'], 16_000);
  view.now([], 17_000);
  view.end();
  expect(text()).toBe('  Seal  1.0 s\n  … VerifyUnits units 4/9  (16 s in all)\n');
});

test('on a terminal it is one line, no wider than that, which makes way for others', () => {
  const { output, text } = terminal(true);
  const view = openFollowView(output, () => 0);
  view.now(['DumpUnits units 3/12', 'WatchSnapshot'], 90_000);
  view.line('  Seal  1.0 s');
  view.end();
  expect(text()).toBe(
    '\r\u001b[K  … DumpUnits units 3/12, WatchSnapshot' +
      '\r\u001b[K  Seal  1.0 s\n' +
      '\r\u001b[K',
  );
});

test('what the history says does not reach the terminal as an escape sequence', () => {
  const { output, text } = terminal(false);
  openFollowView(output, () => 0).line('  ! Plan: \u001b[2J');
  expect(text()).toBe('  ! Plan: \\u{1b}[2J\n');
});
