/** A name of a source made from that of a database. */
import { createHash } from 'node:crypto';

/** `Shop_EU` → `shop-eu`. A name with no letter or digit of ours becomes `db-` and a hash of it. */
export function slugOf(database: string): string {
  const slug = database
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63)
    .replace(/-+$/, '');
  return slug === '' ? `db-${shortHashOf(database)}` : slug;
}

/** The slug with a hash of the database's name behind it: for one whose slug is another's too. */
export const withHash = (slug: string, database: string): string =>
  `${slug.slice(0, 56)}-${shortHashOf(database)}`;

const shortHashOf = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 6);
