/** Lines by which two plain dumps differ, and those of "everything" that a newer major prints differently: all of them. */

/** `- line` of the older text, `+ line` of the newer one, sorted; the order of lines does not count. */
export function changedLines(before: string, after: string): string[] {
  const counts = new Map<string, number>();
  const count = (text: string, by: number) => {
    for (const line of text.split('\n')) {
      if (line === '' || line.startsWith('-- Dumped')) continue;
      counts.set(line, (counts.get(line) ?? 0) + by);
    }
  };
  count(before, -1);
  count(after, 1);
  return [...counts]
    .filter(([, difference]) => difference !== 0)
    .map(([line, difference]) => `${difference < 0 ? '-' : '+'} ${line}`)
    .sort();
}

export const printedByNewer = (from: number, to: number): string[] =>
  [
    { since: 15, lines: publicSchema },
    { since: 16, lines: [...columnsOfOneTable, ...(from < 15 ? [] : columnsAsInvoker)] },
    { since: 17, lines: maintain },
  ]
    .flatMap(({ since, lines }) => (from < since && since <= to ? lines : []))
    .sort();

/** What 15 does by itself, the backup of 14 has to ask for: that not everybody may create in `public`. */
const publicSchema = [
  '- DO $$ BEGIN',
  "-   IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public') THEN",
  '-     REVOKE CREATE ON SCHEMA public FROM PUBLIC;',
  '-   END IF;',
  '- END $$;',
];

/** 16 leaves the table's name away where a query has one table only. */
const columnsOfOneTable = [
  ...['-     animal.name', '+     name'],
  ...['-     couples.other,', '+     other,', '-     couples.a', '+     a'],
  ...['-     customers.name,', '-     rich_customers.name,', '+     name,'],
  ...['-     customers.paid', '-     rich_customers.paid', '+     paid'],
  ...['-     orphans.v', '+     v', '-     v1.name'],
  ...['-     sum(orders.total) AS total', '+     sum(total) AS total'],
  ...['-   GROUP BY couples.id;', '+   GROUP BY id;'],
  ...['-   GROUP BY orders.customer', '+   GROUP BY customer'],
  '-   WHERE ((customers.paid)::numeric > (10)::numeric)',
  '+   WHERE ((paid)::numeric > (10)::numeric)',
  ...['-   WHERE (animal.id > 0)', '+   WHERE (id > 0)'],
  ...['-   WHERE ev.reads_others(a_first.id)', '+   WHERE ev.reads_others(id)'],
  '-   WINDOW w AS (PARTITION BY f.colour);',
  '+   WINDOW w AS (PARTITION BY colour);',
  ...['-  SELECT (max(o.id))::integer AS x', '+  SELECT (max(id))::integer AS x'],
  ...['-  SELECT a_first.id', '+  SELECT id'],
  ...['-  SELECT a_first_by_name.n', '-  SELECT m0_on_m1.n', '-  SELECT numbers.n', '+  SELECT n'],
  ...['-  SELECT a_view_on_m.n,', '+  SELECT n,'],
  ...['-  SELECT animal.id,', '-  SELECT couples.id,', '-  SELECT customers.id,'],
  ...[
    '-  SELECT f.id,',
    '-  SELECT orphans.id,',
    '-  SELECT rich_customers.id,',
    '-  SELECT v1.id,',
  ],
  '+  SELECT id,',
  ...['-  SELECT circle_a.x', '+  SELECT x'],
  ...['-  SELECT orders.customer,', '+  SELECT customer,'],
  ...['-  SELECT t.n AS "a ""b",', '+  SELECT n AS "a ""b",'],
];

/** The same of a view that needs 15. */
const columnsAsInvoker = ['-     parent.note', '+     note', '-  SELECT parent.id,'];

/**
 * Of a dump with rows, whatever the major: PostgreSQL gives a child its parents' columns first, where ALTER TABLE of the
 * parent, or of the child to make it one, has put them last or in another order.
 */
export const columnsOfChildren = [
  '- COPY ev.duck (id, name, legs, depth, colour, added) FROM stdin;',
  '- 3\tduck\t2\t\\N\tgreen\t7',
  '+ COPY ev.duck (id, name, legs, added, depth, colour) FROM stdin;',
  '+ 3\tduck\t2\t7\t\\N\tgreen',
  '- COPY ev.mallard (id, name, legs, depth, colour, added) FROM stdin;',
  '- 4\tduck\t2\t\\N\t\\N\t7',
  '+ COPY ev.mallard (id, name, legs, added, depth, colour) FROM stdin;',
  '+ 4\tduck\t2\t7\t\\N\t\\N',
  '- COPY ev.late_child (legs, name, id, more, added) FROM stdin;',
  '- 4\tlate\t5\t6\t7',
  '+ COPY ev.late_child (id, name, legs, added, more) FROM stdin;',
  '+ 5\tlate\t4\t7\t6',
].sort();

/** 17 has one more right on tables; who had none of the old ones still has the new one. And a setting. */
const maintain = [
  '+ SET transaction_timeout = 0;',
  '- REVOKE SELECT,INSERT,REFERENCES,DELETE,TRIGGER,TRUNCATE,UPDATE ON TABLE ev.left_side FROM everything_owner;',
  '+ REVOKE ALL ON TABLE ev.left_side FROM everything_owner;',
  '+ GRANT MAINTAIN ON TABLE ev.left_side TO everything_owner;',
  '- ALTER DEFAULT PRIVILEGES FOR ROLE everything_owner REVOKE SELECT,INSERT,REFERENCES,DELETE,TRIGGER,TRUNCATE,UPDATE ON TABLES FROM everything_owner;',
  '+ ALTER DEFAULT PRIVILEGES FOR ROLE everything_owner REVOKE ALL ON TABLES FROM everything_owner;',
  '+ ALTER DEFAULT PRIVILEGES FOR ROLE everything_owner GRANT MAINTAIN ON TABLES TO everything_owner;',
];
