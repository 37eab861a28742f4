/** What of a database goes into a backup. Patterns are pg_dump's (psql's `\d` patterns). */
import { z } from 'zod';

export const filtersSchema = z.strictObject({
  schemas: z.array(z.string()).default([]),
  excludeSchemas: z.array(z.string()).default([]),
  tables: z.array(z.string()).default([]),
  excludeTables: z.array(z.string()).default([]),
  excludeTableData: z.array(z.string()).default([]),
  /** `schema`: definitions only; `data`: rows only. */
  sections: z.enum(['all', 'schema', 'data']).default('all'),
});

export type Filters = z.infer<typeof filtersSchema>;

export const noFilters: Filters = filtersSchema.parse({});

/** `partial` as soon as anything is left out: nothing later may count such a backup as a full one. */
export function scopeOf(filters: Filters): 'full' | 'partial' {
  const { sections, ...patterns } = filters;
  return sections === 'all' && Object.values(patterns).every((list) => list.length === 0)
    ? 'full'
    : 'partial';
}
