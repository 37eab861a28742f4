/**
 * A transaction pooler as PgBouncer is one in `pool_mode = transaction`: it authenticates clients itself (trust), and
 * gives a client a server session from its first message to the ReadyForQuery that ends its transaction.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { internalsOf } from '../../core/postgres/pg-internals.ts';
import { type RawSocket, takeSocket } from '../../core/postgres/raw-socket.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';

export interface PoolerOptions {
  /** Which free session is handed out: the one that came back last, or the one that has been free longest. */
  readonly order: 'lifo' | 'fifo';
  /** `session`: a client keeps its server session until it leaves. */
  readonly mode?: 'transaction' | 'session';
  /** Tell clients the true process number of a server session instead of one made up. */
  readonly forwardsPid?: boolean;
}

interface PooledServer {
  readonly session: Session;
  readonly raw: RawSocket;
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function greeting(server: PooledServer, pid: number): Buffer {
  const key = Buffer.alloc(8);
  key.writeInt32BE(pid);
  const parameters = [...server.session.parameters].map(([name, value]) =>
    message('S', Buffer.from(`${name}\0${value}\0`)),
  );
  return Buffer.concat([
    message('R', Buffer.alloc(4)),
    ...parameters,
    message('K', key),
    message('Z', Buffer.from('I')),
  ]);
}

/** Whole messages in front of `bytes`, and what is left. */
function split(bytes: Buffer): { whole: Buffer[]; rest: Buffer } {
  const whole: Buffer[] = [];
  let at = 0;
  while (bytes.length >= at + 5 && bytes.length >= at + 1 + bytes.readInt32BE(at + 1)) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    whole.push(bytes.subarray(at, end));
    at = end;
  }
  return { whole, rest: bytes.subarray(at) };
}

export class TransactionPooler implements AsyncDisposable {
  readonly settings: ConnectionSettings;
  readonly servers: readonly Session[];
  readonly #listener: Server;

  constructor(settings: ConnectionSettings, servers: readonly Session[], listener: Server) {
    this.settings = settings;
    this.servers = servers;
    this.#listener = listener;
  }

  /** Two sessions of the server behind `settings`, served on a free port of the loopback. */
  static async start(
    settings: ConnectionSettings,
    options: PoolerOptions,
  ): Promise<TransactionPooler> {
    const open = () => openSession(settings, { applicationName: 'pooled', purpose: 'control' });
    const servers = [await open(), await open()].map((session) => ({
      session,
      raw: takeSocket(session),
    }));
    const free = [...servers];
    const waiting: ((server: PooledServer) => void)[] = [];
    const borrow = async (): Promise<PooledServer> =>
      (options.order === 'lifo' ? free.pop() : free.shift()) ??
      new Promise((resolve) => waiting.push(resolve));
    const giveBack = (server: PooledServer) => {
      const next = waiting.shift();
      if (next === undefined) free.push(server);
      else next(server);
    };
    const listener = createServer((client) =>
      serve(client, { borrow, giveBack, options, servers }),
    );
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const { port } = listener.address() as { port: number };
    const sessions = servers.map(({ session }) => session);
    return new TransactionPooler(
      { ...settings, port, password: async () => undefined },
      sessions,
      listener,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const session of this.servers) session.destroy();
  }
}

interface Pool {
  borrow(): Promise<PooledServer>;
  giveBack(server: PooledServer): void;
  options: PoolerOptions;
  servers: readonly PooledServer[];
}

function serve(client: Socket, pool: Pool): void {
  let input = Buffer.alloc(0);
  let isStarted = false;
  let assigned: Promise<PooledServer> | undefined;

  /** Attaches a server session for one transaction. */
  const assign = async (): Promise<PooledServer> => {
    const server = await pool.borrow();
    let output = Buffer.alloc(0);
    server.raw.onData((chunk) => {
      const { whole, rest } = split(Buffer.concat([output, chunk]));
      output = Buffer.from(rest);
      for (const one of whole) {
        // ReadyForQuery, idle: the transaction is over, and so is the client's claim.
        const isOver = one[0] === 0x5a && one[5] === 0x49;
        if (isOver && pool.options.mode !== 'session') {
          assigned = undefined;
          pool.giveBack(server);
        }
        client.write(one);
      }
    });
    return server;
  };
  const onMessage = (bytes: Buffer): void => {
    if (bytes[0] === 0x58) {
      client.end();
      return;
    }
    assigned ??= assign();
    void assigned.then(({ raw }) => raw.write(bytes));
  };

  client.on('error', () => undefined);
  client.on('close', () => {
    if (pool.options.mode === 'session') void assigned?.then(pool.giveBack);
  });
  client.on('data', (chunk: Buffer) => {
    input = Buffer.concat([input, chunk]);
    if (!isStarted && input.length >= 4 && input.length >= input.readInt32BE(0)) {
      isStarted = true;
      input = input.subarray(input.readInt32BE(0));
      const [first] = pool.servers;
      if (first === undefined) return;
      const madeUp = 1_900_000_000 + Math.floor(Math.random() * 1000);
      const pid = internalsOf(first.session.client).processID ?? 0;
      client.write(greeting(first, pool.options.forwardsPid === true ? pid : madeUp));
    }
    if (isStarted) {
      const { whole, rest } = split(input);
      input = Buffer.from(rest);
      for (const one of whole) onMessage(one);
    }
  });
}
