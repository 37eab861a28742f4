/**
 * The demo's shop: SQL that makes about 150 MB in seconds, with one of everything that a backup can stumble over:
 * schemas, foreign keys, partitions, a materialized view, jsonb, large objects, extensions, generated columns, sequences.
 */

export interface ShopStep {
  readonly title: string;
  readonly sql: string;
}

export const shopSteps: readonly ShopStep[] = [
  {
    title: 'schemas, extensions and types',
    sql: `
      CREATE EXTENSION citext;
      CREATE EXTENSION hstore;
      CREATE EXTENSION pg_trgm;
      CREATE SCHEMA catalog;
      CREATE SCHEMA sales;
      CREATE TYPE sales.order_state AS ENUM ('open', 'paid', 'sent', 'returned');
      CREATE DOMAIN catalog.price_cents AS bigint CHECK (VALUE >= 0);`,
  },
  {
    title: 'products and customers',
    sql: `
      CREATE TABLE catalog.product (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        sku text NOT NULL UNIQUE,
        name text NOT NULL,
        price catalog.price_cents NOT NULL,
        attributes jsonb NOT NULL,
        dimensions hstore,
        search tsvector GENERATED ALWAYS AS (to_tsvector('simple', name)) STORED
      );
      INSERT INTO catalog.product (sku, name, price, attributes, dimensions)
      SELECT 'SKU-' || lpad(i::text, 6, '0'),
             (ARRAY['Oak', 'Steel', 'Linen', 'Glass', 'Clay'])[1 + i % 5] || ' ' ||
             (ARRAY['chair', 'lamp', 'table', 'cup', 'shelf', 'bowl', 'rug'])[1 + i % 7] || ' No. ' || i,
             100 + (i * 7919) % 250000,
             jsonb_build_object('colour', (ARRAY['red', 'sea green', 'ochre'])[1 + i % 3], 'weight_g', 50 + i % 9000,
               'tags', jsonb_build_array('season-' || i % 4, 'supplier-' || i % 37), 'note', repeat(md5(i::text), 4)),
             hstore(ARRAY['w', 'h', 'd'], ARRAY[(i % 90)::text, (i % 70)::text, (i % 50)::text])
        FROM generate_series(1, 20000) AS i;
      CREATE INDEX product_name_trgm ON catalog.product USING gin (name gin_trgm_ops);

      CREATE TABLE sales.customer (
        id int PRIMARY KEY,
        email citext NOT NULL UNIQUE,
        name text NOT NULL,
        address jsonb NOT NULL,
        since date NOT NULL
      );
      INSERT INTO sales.customer
      SELECT i, 'Customer' || i || '@example.com', 'Zoë Müller-' || i,
             jsonb_build_object('street', 'Hauptstraße ' || i % 300, 'zip', lpad((i % 99999)::text, 5, '0'),
               'city', (ARRAY['Köln', 'Łódź', 'Málaga', 'Århus', '東京'])[1 + i % 5]),
             date '2019-01-01' + i % 2500
        FROM generate_series(1, 50000) AS i;
      COMMENT ON TABLE sales.customer IS 'People who bought something; ☂ even in the rain.';`,
  },
  {
    title: 'orders, partitioned by year',
    sql: `
      CREATE TABLE sales.purchase (
        id bigint NOT NULL,
        customer_id int NOT NULL REFERENCES sales.customer,
        ordered_at timestamptz NOT NULL,
        state sales.order_state NOT NULL,
        details jsonb NOT NULL,
        PRIMARY KEY (id, ordered_at)
      ) PARTITION BY RANGE (ordered_at);
      CREATE TABLE sales.purchase_2024 PARTITION OF sales.purchase FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
      CREATE TABLE sales.purchase_2025 PARTITION OF sales.purchase FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
      CREATE TABLE sales.purchase_2026 PARTITION OF sales.purchase FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
      INSERT INTO sales.purchase
      SELECT i, 1 + (i * 31) % 50000,
             timestamptz '2024-01-01 00:00+00' + (i % 94000000) * interval '1 second' * 360,
             (enum_range(NULL::sales.order_state))[1 + i % 4],
             jsonb_build_object('channel', (ARRAY['web', 'shop', 'phone'])[1 + i % 3], 'voucher', md5((i * 3)::text),
               'message', CASE WHEN i % 11 = 0 THEN E'Please ring\\ttwice,\\nthe bell is \\\\broken' END)
        FROM generate_series(1, 200000) AS i;`,
  },
  {
    title: 'order items',
    sql: `
      CREATE TABLE sales.purchase_item (
        purchase_id bigint NOT NULL,
        ordered_at timestamptz NOT NULL,
        position int NOT NULL,
        product_id int NOT NULL,
        quantity int NOT NULL CHECK (quantity > 0),
        price catalog.price_cents NOT NULL,
        serial text NOT NULL
      );
      INSERT INTO sales.purchase_item
      SELECT p.id, p.ordered_at, n, 1 + (p.id * n) % 20000, 1 + (p.id + n) % 5, 100 + (p.id * n) % 9000, md5((p.id * n)::text)
        FROM sales.purchase p, generate_series(1, 4) AS n;
      ALTER TABLE sales.purchase_item ADD PRIMARY KEY (purchase_id, position);
      ALTER TABLE sales.purchase_item ADD FOREIGN KEY (purchase_id, ordered_at) REFERENCES sales.purchase (id, ordered_at);
      ALTER TABLE sales.purchase_item ADD FOREIGN KEY (product_id) REFERENCES catalog.product;`,
  },
  {
    title: 'a materialized view, a function, a trigger',
    sql: `
      CREATE MATERIALIZED VIEW sales.turnover AS
        SELECT date_trunc('month', ordered_at) AS month, count(*) AS items, sum(quantity * price) AS cents
          FROM sales.purchase_item GROUP BY 1;
      CREATE UNIQUE INDEX ON sales.turnover (month);
      CREATE FUNCTION sales.refuse_past() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.ordered_at < timestamptz '2024-01-01 00:00+00' THEN RAISE EXCEPTION 'too old'; END IF;
          RETURN NEW;
        END $$;
      CREATE TRIGGER refuse_past BEFORE INSERT ON sales.purchase FOR EACH ROW EXECUTE FUNCTION sales.refuse_past();
      CREATE SEQUENCE sales.invoice_number START 700001;
      SELECT setval('sales.invoice_number', 712345);`,
  },
  {
    title: 'pictures as large objects',
    sql: `
      CREATE TABLE catalog.picture (product_id int PRIMARY KEY REFERENCES catalog.product, image oid NOT NULL);
      INSERT INTO catalog.picture
      SELECT i, lo_from_bytea(0, convert_to(repeat(md5(i::text) || md5((i + 1)::text), 300), 'UTF8'))
        FROM generate_series(1, 200) AS i;
      ANALYZE;`,
  },
];
