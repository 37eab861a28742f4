/** COPY … FROM STDIN through node-postgres, which has no API for it: a query object of its own. */
import type { Readable } from 'node:stream';
import type pg from 'pg';

interface WireConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
  stream: NodeJS.WritableStream;
}

/** The callbacks by which a client drives a query; see pg's lib/query.js. */
class CopyIn {
  readonly #sql: string;
  readonly #rows: Readable;
  readonly #settle: (error?: Error) => void;
  #error: Error | undefined;

  constructor(sql: string, rows: Readable, settle: (error?: Error) => void) {
    this.#sql = sql;
    this.#rows = rows;
    this.#settle = settle;
  }

  submit(connection: WireConnection): void {
    connection.query(this.#sql);
  }

  handleCopyInResponse(connection: WireConnection): void {
    this.#send(connection).catch((error) => connection.sendCopyFail(String(error)));
  }

  async #send(connection: WireConnection): Promise<void> {
    for await (const chunk of this.#rows) connection.sendCopyFromChunk(chunk as Buffer);
    connection.endCopyFrom();
  }

  handleCommandComplete(): void {}

  handleError(error: Error): void {
    this.#error = error;
    this.#settle(error);
  }

  handleReadyForQuery(): void {
    if (this.#error === undefined) this.#settle();
  }
}

export function copyIn(client: pg.Client, sql: string, rows: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    const query = new CopyIn(sql, rows, (error) => (error ? reject(error) : resolve()));
    client.query(query as unknown as pg.Submittable);
  });
}
