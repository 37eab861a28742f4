import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hasOnlyUtf8 } from '../../core/schema/answer-encoding.ts';
import { AnswerCollector, greeting } from '../../core/schema/backend-frames.ts';
import { FrontendFrames, type FrontendStep } from '../../core/schema/frontend-frames.ts';

function message(letter: string, body: string): Buffer {
  const head = Buffer.alloc(5);
  head.write(letter, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, Buffer.from(body, 'latin1')]);
}

function startUp(code: number, rest = ''): Buffer {
  const packet = Buffer.alloc(8 + rest.length);
  packet.writeUInt32BE(packet.length, 0);
  packet.writeUInt32BE(code, 4);
  packet.write(rest, 8);
  return packet;
}

/** Cuts a buffer at any places. */
const pieces = (bytes: Buffer) =>
  fc.array(fc.nat(bytes.length), { maxLength: 8 }).map((cuts) => {
    const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
    return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
  });

test('requests leave whole and in order, in whatever pieces libpq writes', () => {
  const packets = [startUp(80_877_103), startUp(196_608, 'user\0me\0\0')];
  const requests = [message('Q', 'SELECT 1\0'), message('P', 'parse'), message('S', '')];
  const all = Buffer.concat([...packets, ...requests, message('X', '')]);
  fc.assert(
    fc.property(pieces(all), (parts) => {
      const frames = new FrontendFrames();
      const steps: FrontendStep[] = parts.flatMap((part) => frames.push(part));
      expect(steps.slice(0, 2).map(({ kind }) => kind)).toEqual(['encryption-request', 'start-up']);
      const exchanges = steps.slice(2).filter((step) => step.kind === 'exchange');
      expect(Buffer.concat(exchanges.map(({ bytes }) => bytes))).toEqual(Buffer.concat(requests));
      expect(exchanges.reduce((sum, { answers }) => sum + answers, 0)).toBe(2);
    }),
  );
});

test('what libpq writes is copied: its memory changes afterwards', () => {
  const frames = new FrontendFrames();
  frames.push(startUp(196_608, '\0'));
  const memory = message('Q', 'SELECT 1\0');
  const first = memory.subarray(0, 7);
  frames.push(first);
  first.fill(0);
  const [step] = frames.push(memory.subarray(7));
  expect(step).toMatchObject({ bytes: new Uint8Array(message('Q', 'SELECT 1\0')) });
});

test('an answer is complete with its last ReadyForQuery, however it is cut', () => {
  const answer = Buffer.concat([
    message('T', 'Z\0\0\0\x05I'),
    message('D', ''),
    message('Z', 'I'),
    message('Z', 'T'),
  ]);
  fc.assert(
    fc.property(pieces(answer), (parts) => {
      const collector = new AnswerCollector(2);
      const complete = parts.map((part) => collector.push(Buffer.from(part)));
      const last = parts.findLastIndex((part) => part.length > 0);
      expect(complete.indexOf(true)).toBe(last);
      expect(Buffer.from(collector.bytes())).toEqual(answer);
    }),
  );
});

test('the greeting lets libpq in and tells the parameters of the real session', () => {
  const bytes = Buffer.from(greeting(new Map([['server_version', '18.4']]), 4711));
  expect(new AnswerCollector(1).push(bytes)).toBe(true);
  expect(bytes.toString('latin1')).toContain('server_version\0' + '18.4\0');
  expect(bytes.subarray(0, 9)).toEqual(Buffer.from([82, 0, 0, 0, 8, 0, 0, 0, 0]));
});

test('bytes that are no UTF-8 are found in rows only', () => {
  const row = (value: string) => {
    const body = Buffer.alloc(6 + value.length);
    body.writeUInt16BE(1, 0);
    body.writeInt32BE(value.length, 2);
    body.write(value, 6, 'latin1');
    return message('D', body.toString('latin1'));
  };
  expect(hasOnlyUtf8(Buffer.concat([row('plain'), row('\xc3\xbc'), message('C', '\xff')]))).toBe(
    true,
  );
  expect(hasOnlyUtf8(Buffer.concat([row('plain'), row('\xfc')]))).toBe(false);
});
