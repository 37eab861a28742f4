/** The work of a restore, cut into what one task takes: loads, builds, comparisons. */
import { z } from 'zod';

const count = z.int().nonnegative();

/** Segments of tables (`table` is an index into the manifest's) or of large objects, loaded one after another. */
export const loadUnitSchema = z.strictObject({
  unit: count,
  items: z.array(
    z.strictObject({
      what: z.enum(['table', 'large-object-data', 'large-object-metadata']),
      table: count.nullable(),
      /** Index into the segments of the table, or of the large objects' part. */
      segment: count,
      rawBytes: count,
    }),
  ),
});
export type LoadUnit = z.infer<typeof loadUnitSchema>;

/**
 * One thing to be built after the rows are in: an index, a constraint, a foreign key's validation, a materialized
 * view's refresh, the statistics of a table, a batch of small definitions.
 */
export const buildSchema = z.strictObject({
  build: count,
  kind: z.enum(['index', 'constraint', 'foreign-key', 'check', 'refresh', 'analyze', 'statements']),
  /** For people: `index public.orders_pkey`. */
  label: z.string(),
  /** Of `index`, `constraint`, `foreign-key`, `check`: what to look for in the catalogs. */
  object: z
    .strictObject({ schema: z.string(), name: z.string(), table: z.string().nullable() })
    .nullable(),
  /**
   * Of `statements`: one transaction. Of `analyze`: one after the other. Of the rest: settings, and at the end one
   * statement, which may take long and goes on without its client. What the backup defines is not written down: references
   * (core/restore/builds/references.ts) stand for it.
   */
  statements: z.array(z.string()).min(1),
});
export type Build = z.infer<typeof buildSchema>;

/** Tables that a comparison reads in one task; indices into the manifest's tables. */
export const compareUnitSchema = z.strictObject({
  unit: count,
  tables: z.array(count),
  /** The data of the large objects too. Owners, rights and comments are compared by CompareSchema. */
  largeObjects: z.boolean().optional(),
});
export type CompareUnit = z.infer<typeof compareUnitSchema>;
