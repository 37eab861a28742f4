import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { makeCertificates } from '../support/certificates.ts';
import { startServer } from '../support/postgres.ts';
import { copyAll, workerSession } from './support.ts';

const certificates = makeCertificates('localhost');
let server: EmbeddedServer;
beforeAll(async () => {
  server = await startServer({
    settings: ['ssl=on', 'ssl_cert_file=server.crt', 'ssl_key_file=server.key'],
    prepare(folder, owner) {
      const files = { 'server.crt': certificates.certificate, 'server.key': certificates.key };
      for (const [name, text] of Object.entries(files)) {
        writeFileSync(join(folder, name), text, { mode: 0o600 });
        if (owner !== undefined) chownSync(join(folder, name), owner.uid, owner.gid);
      }
    },
  });
});
afterAll(() => server?.stop());

test.each([
  ['narrow rows', 'SELECT n, n * 2 FROM generate_series(1, 300000) n'],
  [
    'rows larger than every buffer',
    `SELECT repeat(md5(n::text), 60000) FROM generate_series(1, 6) n`,
  ],
])(
  'a COPY of %s is the same with TLS and without, one after another in a session',
  async (_, query) => {
    const sql = `COPY (${query}) TO STDOUT`;
    await using encrypted = await workerSession({ ...server.settings(), sslMode: 'require' });
    await using plain = await workerSession(server.settings());
    const expected = await copyAll(plain, sql);
    expect(expected.rawBytes).toBeGreaterThan(3 << 20);
    for (let round = 0; round < 2; round++) {
      expect((await copyAll(encrypted, sql)).bytes.equals(expected.bytes)).toBe(true);
      const again = await copyAll(plain, sql);
      expect(again.fingerprint).toBe(expected.fingerprint);
    }
    expect(
      await encrypted.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'),
    ).toEqual([{ ssl: true }]);
  },
);
