/**
 * What docs/restore.md does by hand, for tests: a backup into an empty database, one connection per step as psql has.
 * It is not the restore of the product; it knows no parallel work and no retry.
 */
import { text } from 'node:stream/consumers';
import pg from 'pg';
import type { Manifest, TableEntry } from '../../core/contract/manifest.ts';
import { openSegment, type ReadDeps } from '../../core/verify/read-segment.ts';
import { copyIn } from './copy-in.ts';

export async function restoreBackup(
  deps: ReadDeps,
  manifest: Manifest,
  target: string,
): Promise<void> {
  const connected = async (work: (client: pg.Client) => Promise<unknown>) => {
    const client = new pg.Client({ connectionString: target });
    await client.connect();
    try {
      await work(client);
    } finally {
      await client.end();
    }
  };
  const open = async (segment: Parameters<typeof openSegment>[2]) => {
    const object = manifest.objects[segment.object];
    if (object === undefined) throw new Error(`The manifest has no object ${segment.object}.`);
    return (await openSegment(deps, object, segment)).plain;
  };
  const runSection = (wanted: Manifest['schema'][number]['name']) =>
    connected(async (client) => {
      const section = manifest.schema.find(({ name }) => name === wanted);
      if (section === undefined) throw new Error(`The backup has no section ${wanted}.`);
      await client.query(await text(await open(section.segment)));
    });

  await runSection('globals');
  await runSection('pre-data');
  for (const table of manifest.tables) {
    for (const segment of table.segments) {
      await connected(async (client) => copyIn(client, copyStatement(table), await open(segment)));
    }
  }
  await connected(async (client) => {
    await client.query(largeObjectTables);
    for (const segment of manifest.largeObjects.metadata.segments) {
      await copyIn(client, 'COPY lo_metadata FROM STDIN', await open(segment));
    }
    for (const segment of manifest.largeObjects.data.segments) {
      await copyIn(client, 'COPY lo_pages FROM STDIN', await open(segment));
    }
    await client.query(makeLargeObjects);
  });
  await runSection('sequences');
  await runSection('post-data');
}

function copyStatement(table: TableEntry): string {
  const name = [table.schema, table.name].map((part) => pg.escapeIdentifier(part)).join('.');
  const columns = table.columns.map((column) => pg.escapeIdentifier(column)).join(', ');
  const format = table.format === 'binary' ? ', FORMAT binary' : '';
  return `COPY ${name}${columns === '' ? '' : ` (${columns})`} FROM STDIN WITH (ENCODING 'UTF8'${format})`;
}

const largeObjectTables = `
  CREATE TEMPORARY TABLE lo_metadata (oid oid, owner text, acl aclitem[], comment text);
  CREATE TEMPORARY TABLE lo_pages (loid oid, pageno int, data bytea);`;

const makeLargeObjects = `
  DO $$
  DECLARE lo record; item record;
  BEGIN
    FOR lo IN SELECT * FROM lo_metadata LOOP
      PERFORM lo_create(lo.oid);
      EXECUTE format('ALTER LARGE OBJECT %s OWNER TO %I', lo.oid, lo.owner);
      IF lo.comment IS NOT NULL THEN
        EXECUTE format('COMMENT ON LARGE OBJECT %s IS %L', lo.oid, lo.comment);
      END IF;
      FOR item IN SELECT grantee::regrole AS grantee, privilege_type FROM aclexplode(lo.acl) LOOP
        EXECUTE format('GRANT %s ON LARGE OBJECT %s TO %s', item.privilege_type, lo.oid, item.grantee);
      END LOOP;
    END LOOP;
  END $$;
  SELECT count(lo_put(loid, pageno * 2048::bigint, data)) FROM lo_pages;`;
