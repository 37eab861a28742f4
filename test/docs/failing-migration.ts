/** A migration as one fears it: it has dropped a table when it fails. */
import pg from 'pg';

const client = new pg.Client({ connectionString: String(process.env['DATABASE_URL']) });
await client.connect();
await client.query('DROP TABLE orders');
await client.end();
process.exit(7);
