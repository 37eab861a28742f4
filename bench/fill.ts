/** Data for the benches: made by SQL in the server, the same on every machine. */
import type pg from 'pg';

/** About 78 bytes of text a row: numbers, dates, short codes. */
const narrowSql = (rows: number) => `
  CREATE TABLE narrow AS
  SELECT n::bigint AS id, (n::bigint * 7919 % 100003)::int AS customer, (n % 97)::smallint AS kind,
         timestamptz '2024-01-01' + n * interval '7 seconds' AS at,
         ((n::bigint * 104729 % 10000019)::numeric / 100)::numeric(12, 2) AS amount,
         n % 3 = 0 AS is_paid, 'SKU-' || lpad((n::bigint * 31 % 65537)::text, 6, '0') AS sku
    FROM generate_series(1, ${rows}) n`;

/** About 1.2 KB of text a row, below the size from which values are moved out of the row. */
const wideSql = (name: string, rows: number) => `
  CREATE TABLE ${name} AS
  SELECT n::bigint AS id, md5(n::text) AS token,
         p.lines[1 + n * 7 % 2000] || p.lines[1 + n * 11 % 1999] || p.lines[1 + n * 13 % 1997] AS title,
         p.lines[1 + n * 17 % 1993] || p.lines[1 + n * 19 % 1987] || p.lines[1 + n * 23 % 1979]
           || p.lines[1 + n * 29 % 1973] || md5((n * 3)::text) AS body,
         jsonb_build_object('id', n, 'tags', jsonb_build_array(n % 11, n % 13, md5((n % 5000)::text)),
           'note', p.lines[1 + n * 31 % 1951]) AS details
    FROM (SELECT array_agg(line) AS lines FROM phrases) p, generate_series(1::int8, ${rows}) n`;

/** About 160 bytes of text a row, a primary key and two indexes: what most tables look like. */
const ordersSql = (name: string, rows: number) => `
  CREATE TABLE ${name} (id bigint NOT NULL, customer int NOT NULL, kind smallint NOT NULL, at timestamptz NOT NULL,
    amount numeric(12, 2) NOT NULL, is_paid boolean NOT NULL, sku text NOT NULL, note text);
  INSERT INTO ${name}
  SELECT n, (n * 7919 % 100003)::int, (n % 97)::smallint, timestamptz '2024-01-01' + n * interval '7 seconds',
         ((n * 104729 % 10000019)::numeric / 100)::numeric(12, 2), n % 3 = 0,
         'SKU-' || lpad((n * 31 % 65537)::text, 6, '0'), left(p.lines[1 + n * 7 % 2000], 80)
    FROM (SELECT array_agg(line) AS lines FROM phrases) p, generate_series(1::int8, ${rows}) n;
  ALTER TABLE ${name} ADD PRIMARY KEY (id);
  CREATE INDEX ON ${name} (customer, at);
  CREATE INDEX ON ${name} (sku)`;
const orderRowBytes = 161;

const phrasesSql = `
  CREATE TABLE phrases AS
  SELECT string_agg(word, ' ' ORDER BY md5(i::text || w::text)) || '. ' AS line
    FROM generate_series(1, 2000) i
   CROSS JOIN LATERAL (
     SELECT w, (ARRAY['order','customer','delivery','invoice','payment','address','street','north','south','paid','open',
       'return','article','stock','price','discount','morning','evening','please','ring','parcel','station','quick',
       'blue','red','green','large','small','gift','wrap'])[1 + (hashint4(i * 31 + w) & 2147483647) % 30] AS word
       FROM generate_series(1, 20) w) words
   GROUP BY i`;

const narrowRowBytes = 78;
const wideRowBytes = 1_290;

/** Half of the text in narrow rows, half in wide ones. @returns bytes of COPY text */
export async function fillMixed(client: pg.Client, textBytes: number): Promise<number> {
  await client.query(phrasesSql);
  await client.query(narrowSql(Math.ceil(textBytes / 2 / narrowRowBytes)));
  await client.query(wideSql('wide', Math.ceil(textBytes / 2 / wideRowBytes)));
  await settle(client);
  return textBytesOf(client, ['narrow', 'wide']);
}

export async function fillWide(client: pg.Client, name: string, textBytes: number): Promise<void> {
  await client.query(phrasesSql);
  await client.query(wideSql(name, Math.ceil(textBytes / wideRowBytes)));
  await settle(client);
}

/** Tables of orders with their indexes. @param shares of the text by name, which add up to 1 */
export async function fillOrders(
  client: pg.Client,
  textBytes: number,
  shares: Readonly<Record<string, number>>,
): Promise<void> {
  await client.query(phrasesSql);
  for (const [name, share] of Object.entries(shares)) {
    await client.query(ordersSql(name, Math.ceil((textBytes * share) / orderRowBytes)));
  }
  await client.query('DROP TABLE phrases');
  await settle(client);
}

/** Fields of 60 MB, which are 120 MB in COPY text. */
export async function fillHugeFields(client: pg.Client, rows: number): Promise<void> {
  await client.query(`CREATE TABLE huge_fields (id int, data bytea);
    ALTER TABLE huge_fields ALTER data SET STORAGE EXTERNAL;
    INSERT INTO huge_fields SELECT n, decode(repeat(md5(n::text), 3750000), 'hex') FROM generate_series(1, ${rows}) n`);
  await settle(client);
}

/** Hint bits and visibility are set once, not by whoever happens to read first. */
async function settle(client: pg.Client): Promise<void> {
  await client.query('VACUUM ANALYZE');
  await client.query('CHECKPOINT');
}

async function textBytesOf(client: pg.Client, tables: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const table of tables) {
    // A sample: the text of a row and its tabs, against its size on disk.
    const { rows } = await client.query(
      `SELECT avg(octet_length(t::text)) * (SELECT reltuples FROM pg_class WHERE oid = $1::regclass) AS bytes
         FROM (SELECT * FROM ${table} LIMIT 5000) t`,
      [table],
    );
    bytes += Number(rows[0].bytes);
  }
  return Math.round(bytes);
}
