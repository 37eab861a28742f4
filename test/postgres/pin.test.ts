import pg from 'pg';
import { expect, test } from 'vitest';
import { pin } from '../../core/postgres/pin.ts';

/** A client whose server says of each setting in `refused` what PostgreSQL says of a value that it cannot have. */
function clientRefusing(...refused: string[]) {
  const asked: string[] = [];
  const query = async (sql: string) => {
    asked.push(sql);
    const name = refused.find((setting) => sql.includes(`'${setting}'`));
    if (name === undefined) return { rows: [{ pid: 7, version: 180000, pinned: true }] };
    const message = `invalid value for parameter "${name}": 10000`;
    throw Object.assign(new pg.DatabaseError(message, 0, 'error'), { code: '22023' });
  };
  return { client: { query, processID: 7 } as unknown as pg.Client, asked };
}

const parameters = new Map([['server_version', '18.1']]);
const pinned = (client: pg.Client) => pin(client, {} as never, 'worker', parameters);

test('a server that cannot look for its client (Windows) has all other pins', async () => {
  const { client, asked } = clientRefusing('client_connection_check_interval');
  expect(await pinned(client)).toMatchObject({ pid: 7, version: 180000 });
  expect(asked).toHaveLength(2);
  expect(asked[1]).toBe(
    asked[0]?.replace(
      "pg_catalog.set_config('client_connection_check_interval', '10s', false), ",
      '',
    ),
  );
  expect(asked[1]).toContain("'tcp_keepalives_idle'");
});

test('any other pin that is refused is an error', async () => {
  const { client, asked } = clientRefusing('TimeZone');
  await expect(pinned(client)).rejects.toThrow('TimeZone');
  expect(asked).toHaveLength(1);
});
