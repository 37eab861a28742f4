/**
 * Stands between an S3 client and the emulator and does to single requests what networks do: loses an answer, breaks a
 * connection midway, changes a byte, stops. All else passes unchanged.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { S3Client } from '@aws-sdk/client-s3';
import { inject } from 'vitest';
import { s3ClientSettings } from '../../aws/vault/client-settings.ts';
import { s3Settings } from './emulator-clients.ts';

export interface Seen {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Of this method and key (without the query), counted from 1. */
  readonly nth: number;
}

export type Fault =
  /** The server does it, and its answer never arrives. */
  | { readonly loseAnswer: true }
  /** The connection breaks after so many bytes of the answer's body. */
  | { readonly cutAfter: number }
  /** So many bytes of the answer's body arrive, then none any more. */
  | { readonly stallAfter: number }
  /** A bit of the body is another, on the way there or back. */
  | { readonly flip: 'request' | 'answer' }
  /** It goes on when this is done. */
  | { readonly after: Promise<void> }
  /** Another answer than the server's, which is not asked. */
  | { readonly answer: CannedAnswer };

export interface CannedAnswer {
  readonly status: number;
  /** Absent: no body, as S3 answers a HEAD. */
  readonly code?: string;
  /** Further elements of the error, as XML. */
  readonly more?: string;
}

export interface FaultyProxy extends AsyncDisposable {
  readonly s3: S3Client;
  readonly endpoint: string;
  readonly seen: Seen[];
  /** Answers whose client went away before their end. */
  abandoned(): number;
}

export async function faultyProxy(
  faultOf: (seen: Seen) => Fault | undefined,
  settings: Partial<ConstructorParameters<typeof S3Client>[0]> = {},
): Promise<FaultyProxy> {
  const seen: Seen[] = [];
  let abandoned = 0;
  const server = createServer((incoming, answer) => {
    answer.once('close', () => {
      if (!answer.writableFinished) abandoned += 1;
    });
    const { method = '', url = '', headers } = incoming;
    const path = url.split('?')[0];
    const before = seen.filter((each) => each.method === method && each.url.split('?')[0] === path);
    const one = { method, url, headers, nth: before.length + 1 };
    seen.push(one);
    // A connection that either side broke is what is tested here.
    pass(incoming, answer, faultOf(one)).catch(() => answer.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}`;
  const s3 = new S3Client({
    ...s3Settings(),
    ...s3ClientSettings,
    ...settings,
    endpoint,
  });
  return {
    s3,
    endpoint,
    seen,
    abandoned: () => abandoned,
    async [Symbol.asyncDispose]() {
      s3.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function pass(
  incoming: IncomingMessage,
  answer: ServerResponse,
  fault: Fault = { cutAfter: Number.POSITIVE_INFINITY },
) {
  const sent = await buffer(incoming);
  if ('after' in fault) await fault.after;
  if ('answer' in fault) return refuse(answer, fault.answer);
  const { status, headers, body } = await forward(incoming, flipped(sent, fault, 'request'));
  if ('loseAnswer' in fault) return answer.destroy();
  answer.writeHead(status, headers);
  const bytes = flipped(body, fault, 'answer');
  answer.flushHeaders();
  if ('stallAfter' in fault) return answer.write(bytes.subarray(0, fault.stallAfter));
  if (!('cutAfter' in fault) || fault.cutAfter >= bytes.length) return answer.end(bytes);
  answer.write(bytes.subarray(0, fault.cutAfter), () => answer.destroy());
}

function refuse(answer: ServerResponse, { status, code, more = '' }: CannedAnswer) {
  answer.writeHead(status, { 'content-type': 'application/xml' });
  const message = `<Code>${code}</Code><Message>${code} it is.</Message>`;
  answer.end(code === undefined ? '' : `<Error>${message}${more}</Error>`);
}

function flipped(body: Buffer, fault: Fault, where: 'request' | 'answer'): Buffer {
  if (!('flip' in fault) || fault.flip !== where || body.length === 0) return body;
  const other = Buffer.from(body);
  const at = Math.floor(other.length / 2);
  other[at] = (other[at] ?? 0) ^ 1;
  return other;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

function forward(incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  const { hostname, port } = new URL(inject('cloud').endpoint);
  const { expect: _, ...headers } = incoming.headers;
  return new Promise((resolve, reject) => {
    const { method, url } = incoming;
    const outgoing = request({ hostname, port, method, path: url, headers }, (response) => {
      buffer(response).then((received) => {
        const status = response.statusCode ?? 500;
        resolve({ status, headers: response.headers, body: received });
      }, reject);
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
