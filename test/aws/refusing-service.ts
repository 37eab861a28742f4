/** A server that answers every request alike, mostly as an AWS service refuses one, so that the real client reads it from the wire. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Refusal {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
}

export interface RefusingService extends AsyncDisposable {
  /** For a client: this endpoint, credentials of nobody, no second attempt. */
  readonly config: {
    readonly endpoint: string;
    readonly region: string;
    readonly maxAttempts: 1;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
}

/** As the services with a JSON protocol (KMS, Secrets Manager, SSM) report an error. */
export const jsonRefusal = (type: string, message: string, status = 400): Refusal => ({
  status,
  contentType: 'application/x-amz-json-1.1',
  body: JSON.stringify({ __type: type, message }),
});

/** As RDS and EC2 do. */
export const xmlRefusal = (code: string, message: string, status = 400): Refusal => ({
  status,
  contentType: 'text/xml',
  body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
});

/** @param answer one for all, or by what the request's body says */
export async function refusingService(
  answer: Refusal | ((body: string) => Refusal),
): Promise<RefusingService> {
  const server = createServer(async (request, response) => {
    const asked = await text(request);
    const { status, contentType, body } = typeof answer === 'function' ? answer(asked) : answer;
    response.writeHead(status, { 'content-type': contentType ?? 'text/plain' });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    config: {
      endpoint: `http://127.0.0.1:${port}`,
      region: 'eu-central-1',
      maxAttempts: 1,
      credentials: { accessKeyId: 'nobody', secretAccessKey: 'nothing' },
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
