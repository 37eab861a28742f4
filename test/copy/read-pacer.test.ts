import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ReadPacer } from '../../core/copy/read-pacer.ts';

function fakeSocket() {
  const socket = {
    isPaused: false,
    pauses: 0,
    pause() {
      socket.isPaused = true;
      socket.pauses += 1;
      return socket as never;
    },
    resume() {
      socket.isPaused = false;
      return socket as never;
    },
  };
  return socket;
}
const manyBytes = 2 << 20;

it('pauses after a small read of a large stream, and goes on by itself', async () => {
  const socket = fakeSocket();
  const pacer = new ReadPacer(socket);
  pacer.noteRead(manyBytes);
  await turn();
  pacer.noteRead(8192);
  await turn();
  expect(socket).toMatchObject({ isPaused: true, pauses: 1 });
  await sleep(20);
  expect(socket.isPaused).toBe(false);
  pacer.stop();
});

it('leaves the socket reading when it ends in a pause: or the next answer would never come', async () => {
  const socket = fakeSocket();
  const pacer = new ReadPacer(socket);
  pacer.noteRead(manyBytes);
  await turn();
  pacer.noteRead(8192);
  await turn();
  expect(socket.isPaused).toBe(true);
  pacer.stop();
  await sleep(20);
  expect(socket.isPaused).toBe(false);
});

it('leaves the socket reading when it ends without room', () => {
  const socket = fakeSocket();
  const pacer = new ReadPacer(socket);
  pacer.block();
  pacer.stop();
  expect(socket.isPaused).toBe(false);
});
