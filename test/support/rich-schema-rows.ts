/** Rows, large objects and sequence positions of the rich schema. */

export const richRows = String.raw`
INSERT INTO shop.customers (email, name, mood, home, attributes, document, picture, longest, span, born, paid)
  SELECT 'C' || i || '@example.com', E'Name\t' || i || E'\n\\N \\. "' || chr(220),
    (ARRAY['sad', 'ok', 'ha''ppy', '', NULL]::shop.mood[])[1 + i % 5],
    CASE WHEN i % 3 = 0 THEN ROW('Street, ' || i, i, ARRAY['a', NULL, '"'])::shop.home END,
    ext.hstore('k' || i, CASE WHEN i % 2 = 0 THEN 'v' END), jsonb_build_object('n', i, 's', E'\u2028'),
    decode(repeat(md5(i::text), i % 50), 'hex'), CASE WHEN i % 100 = 0 THEN repeat('long ', 5000) ELSE '' END,
    CASE WHEN i % 4 = 0 THEN 'empty' ELSE '[' || i || ',' || i + 0.1 || ')' END::shop.span,
    CASE WHEN i % 9 = 0 THEN NULL WHEN i % 10 = 0 THEN 'infinity' ELSE DATE '1950-01-01' + i END, i
  FROM generate_series(1, 1000) AS i;
DELETE FROM shop.customers WHERE id % 13 = 0;
INSERT INTO shop.orders (customer, made, total)
  SELECT id, TIMESTAMPTZ '2025-06-01 00:00+00' + g * interval '100 days', id * 1.25
  FROM shop.customers, generate_series(0, 4) AS g;
INSERT INTO shop.hashed SELECT i, NULLIF(i % 3, 0)::text FROM generate_series(1, 100) AS i;
INSERT INTO shop.parent (id) VALUES (10), (11);
INSERT INTO shop.child (id, extra) VALUES (20, 1);
BEGIN;
INSERT INTO shop.hen VALUES (1, 1);
INSERT INTO shop.egg VALUES (1, 1);
COMMIT;
INSERT INTO shop.rooms VALUES (1, '[2026-01-01,2026-01-02)'), (1, '[2026-01-02,2026-01-03)'), (2, NULL);
INSERT INTO shop.tree (id, up) VALUES (1, NULL), (2, 1), (3, 2);
INSERT INTO shop.scratch (v) SELECT 'u' || i FROM generate_series(1, 10) AS i;
INSERT INTO shop.no_columns DEFAULT VALUES;
INSERT INTO shop.no_columns DEFAULT VALUES;
INSERT INTO shop.only_generated DEFAULT VALUES;
INSERT INTO shop.typed VALUES ('a', 1, '{}');
INSERT INTO shop.with_method VALUES (1);
INSERT INTO "odd ""names"""."tab
le 🐘 %s $1" VALUES (1, '', '\.', 3), (2, NULL, E'\x01\b\f\v', NULL), (3, '\N', '🐘', 0);
REFRESH MATERIALIZED VIEW shop.totals;
REFRESH MATERIALIZED VIEW shop.of_totals;
SELECT setval('shop.counted', -2999, true);
SELECT nextval('"odd ""names"""."se''q"');
SELECT lo_from_bytea(4711, decode(repeat('00ff10', 3000), 'hex')), lo_create(4712);
ALTER LARGE OBJECT 4711 OWNER TO rich_owner;
GRANT SELECT ON LARGE OBJECT 4712 TO rich_writer;
COMMENT ON LARGE OBJECT 4712 IS 'empty';
`;
