/**
 * Asks the server to end the running statement of a session that we are about to drop.
 *
 * The server notices a dropped socket only when it writes to it, or at the next client_connection_check_interval;
 * a scan that finds nothing would go on and hold the snapshot meanwhile.
 */
import { connect } from 'node:net';
import type { Session } from '../postgres/session.ts';

/** The number that stands where a protocol version would (PostgreSQL documentation, "CancelRequest"). */
const cancelCode = 80_877_102;
const timeoutMs = 3_000;

/** Without TLS, as libpq's PQcancel does: it carries no data, and the server takes it before pg_hba.conf is looked at. */
export async function sendCancelRequest(session: Session): Promise<void> {
  const { processID, secretKey } = session.client as unknown as {
    processID: number | null;
    secretKey: number | null;
  };
  if (processID === null || secretKey === null) return;
  const message = Buffer.alloc(16);
  message.writeInt32BE(message.length, 0);
  message.writeInt32BE(cancelCode, 4);
  message.writeInt32BE(processID, 8);
  message.writeInt32BE(secretKey, 12);
  const { host, port } = session.settings;
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
  await new Promise<void>((resolve) => {
    // Whatever happens here, the session's socket is dropped too, and that is what counts.
    socket.setTimeout(timeoutMs, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.on('data', () => {});
    socket.write(message);
  });
}
