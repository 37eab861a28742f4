/** Every built-in type with its extremes: a table per family, and arrays, ranges and multiranges of them. */

/** Column types and, line by line, what is in them. */
interface Family {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly string[];
}

const families = (major: number): readonly Family[] => [
  {
    table: 'numbers',
    columns: ['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'numeric(12,-3)', 'money'],
    rows: [
      `-32768, -2147483648, -9223372036854775808, '-3.4028235e38', '-1.7976931348623157e308', '-1e131071', 0, '-92233720368547758.08'`,
      `32767, 2147483647, 9223372036854775807, '3.4028235e38', '1.7976931348623157e308', '1e-16383', 0, '92233720368547758.07'`,
      `0, 0, 0, '-0', '-0', '0.000', 0, 0`,
      `NULL, NULL, NULL, 'NaN', 'NaN', 'NaN', NULL, NULL`,
      `1, 1, 1, 'Infinity', '-Infinity', '-Infinity', 1, 1`,
      `1, 1, 1, '1e-45', '5e-324', repeat('9', 40)::numeric + 0.1::numeric(3,3), 1, 1`,
      `1, 1, 1, '0.1', '0.30000000000000004', pi()::numeric / 3, 1, 1`,
    ],
  },
  {
    table: 'texts',
    columns: ['text', 'varchar(5)', 'char(5)', '"char"', 'name', 'bytea', 'bit(3)', 'varbit'],
    rows: [
      `'', '', '', '', '', '', '000', ''`,
      String.raw`E'\x01\x02\x08\t\n\x0b\f\r\x1b\x7f', E'\\.', E'\\N', E'\\', 'name', '\x00ff', '101', repeat('10', 99)::varbit`,
      `U&'\\0300\\FFFD\\+010FFFF\\2028', 'äöüß€', '🐘', 'a', repeat('n', 63), decode(repeat('00', 9000), 'hex'), '111', '1'`,
      `repeat('long line, ', 100000), E'\\\\x41', '"', '''', '"', sha512('a'), NULL, NULL`,
      `NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL`,
    ],
  },
  {
    table: 'times',
    columns: ['date', 'time', 'timetz', 'timestamp', 'timestamptz(3)', 'interval', 'interval day'],
    rows: [
      `'4713-01-01 BC', '00:00', '00:00+15:59:59', '4713-01-01 BC', '4713-01-02 BC', '-178000000 years', '1 day'`,
      `'5874897-12-31', '24:00', '24:00-15:59:59', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59+00', '178000000 years', NULL`,
      `'infinity', '23:59:59.999999', '12:00+00', 'infinity', '-infinity', '1 mon -1 day 00:00:00.000001', '-99 days'`,
      `'0001-01-01', NULL, NULL, '1582-10-10', '1883-11-18 12:03:57+00', '-00:00:01', NULL`,
      ...(major >= 17
        ? [`'-infinity', NULL, NULL, '-infinity', 'infinity', 'infinity', '-infinity'`]
        : []),
    ],
  },
  {
    table: 'shapes',
    columns: ['point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle'],
    rows: [
      `'(-0,1e308)', '{1,2,3}', '[(0,0),(1,1)]', '((0,0),(-1,1))', '[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(2,0))', '<(0,0),0>'`,
      `'(NaN,Infinity)', '{0,1,-1e-300}', '[(0.1,0.2),(0.30000000000000004,1)]', '((1,1),(1,1))', '((0,0),(1,1))', '((0,0))', '<(1,2),1e9>'`,
    ],
  },
  {
    table: 'networks',
    columns: ['inet', 'cidr', 'macaddr', 'macaddr8', 'uuid', 'pg_lsn', 'oid', 'xid', 'xid8', 'cid'],
    rows: [
      `'0.0.0.0', '0.0.0.0/0', '00:00:00:00:00:00', '00:00:00:00:00:00:00:00', '00000000-0000-0000-0000-000000000000', '0/0', 0, '0', '0', '0'`,
      `'::ffff:1.2.3.4/96', '2001:db8::/32', 'ff:ff:ff:ff:ff:ff', 'ff:ff:ff:ff:ff:ff:ff:ff', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'FFFFFFFF/FFFFFFFF', 4294967295, '4294967295', '18446744073709551615', '4294967295'`,
    ],
  },
  {
    table: 'documents',
    columns: ['json', 'jsonb', 'jsonpath', 'tsvector', 'tsquery', 'xml'],
    rows: [
      `'{"a" :  1, "a":2, "u":"\\u0000"}', '{"b":[1e400,-0.0,"\\u2028"],"":null}', 'strict $."a b"[*] ? (@ > 1)', '''a b'':1A,2B ''\\'''':3', '''a'':*A & !(''b'' <2> ''c'')', '<a b="&lt;">é</a>'`,
      `' 1 ', '"text"', '$', '', '', 'no <b>document</b>'`,
      `'null', 'null', 'lax $.**{2 to last}', NULL, NULL, NULL`,
    ],
  },
  {
    table: 'names',
    columns: [
      ...['regclass', 'regtype', 'regproc', 'regprocedure', 'regoper', 'regoperator', 'regrole'],
      ...['regnamespace', 'regconfig', 'regdictionary', 'regcollation', 'aclitem', 'tid'],
      ...['refcursor', 'int2vector', 'oidvector', 'pg_snapshot', 'txid_snapshot'],
    ],
    rows: [
      `'ev.numbers', 'ev.address', 'ev.reads_others', 'ev.reads_others(int)', '||/', '+(int,int)', 'everything_owner', 'ev', 'german', 'simple', '"C"', 'everything_owner=r*/postgres', '(4294967295,65535)', 'cursor', '1 -2 3', '1 2 4294967295', '10:20:10,14,15', '10:20:'`,
      `'pg_class', 'int[]', '-', '-', '0', '0', '-', '-', '-', '-', '-', '=/postgres', '(0,1)', '', '', '', '1:1:', '1:1:'`,
    ],
  },
  {
    table: 'ranges',
    columns: [
      ...['int4range', 'int8range', 'numrange', 'tsrange', 'tstzrange', 'daterange', 'ev.span'],
      ...['int4multirange', 'nummultirange', 'tstzmultirange', 'datemultirange', 'ev.spans'],
    ],
    rows: [
      `'empty', '(,)', '[NaN,NaN]', '[-infinity,infinity]', '(,infinity)', '[4713-01-01 BC,)', '(-Infinity,NaN]', '{}', '{(,1),(2,)}', '{[-infinity,infinity]}', '{[2026-01-01,2026-01-02),[2026-02-01,)}', '{(0,1],[2,2]}'`,
      `'[-2147483648,2147483646]', '[0,0]', '(0.10,1.000)', '["2026-01-01 00:00",)', NULL, 'empty', '[-0,0]', '{[1,1]}', '{}', NULL, '{}', '{}'`,
    ],
  },
  {
    table: 'arrays',
    columns: [
      ...['int[]', 'text[]', 'timestamptz[]', 'bytea[]', 'jsonb[]', 'ev.address[]', 'ev.mood[]'],
      ...['ev.small[]', 'ev.span[]', 'numeric[3][3]', 'ev.base', 'ev.base[]', 'ev.nested'],
    ],
    rows: [
      `'[-1:0][5:6]={{1,NULL},{3,4}}', ARRAY['', NULL, 'NULL', '{', '"', '\\', E'\\n', ','], '{}', ARRAY['\\x00'::bytea, ''], ARRAY['{"a":"}"}'::jsonb], ARRAY[ROW('a,"b', 1, '{x}')::ev.address, NULL], '{happy,NULL}', '{1,2}', '{empty,"[1,2)"}', '{{NaN,1.10},{Infinity,0}}', 'b', '{a,"b c"}', ROW(ROW('s', NULL, '{}'), ARRAY[ROW(NULL, 2, NULL)::ev.address], '[1,2]')`,
      `'{}', '{}', ARRAY['infinity'::timestamptz], NULL, NULL, '{}', '{}', '{}', '{}', '{}', '', '{}', ROW(NULL, NULL, NULL)`,
    ],
  },
];

const isKnown = (type: string, major: number) => major >= 15 || type !== 'numeric(12,-3)';

/** Needs the types of everything-objects.ts. */
export const everyType = (major: number): string =>
  families(major)
    .flatMap(({ table, columns, rows }) => {
      const types = columns.map((type) => (isKnown(type, major) ? type : 'numeric'));
      const list = types.map((type, at) => `c${at} ${type}`).join(', ');
      const inserts = rows.map((row) => `INSERT INTO ev.${table} VALUES (DEFAULT, ${row});`);
      return [`CREATE TABLE ev.${table} (id serial, ${list});`, ...inserts];
    })
    .join('\n');
