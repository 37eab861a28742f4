/** What a restore or a drill is asked for. */
import { z } from 'zod';
import { requestedBySchema, startedBy } from '../plan.ts';

const name = z.string().min(1);

export const restoreModeSchema = z.enum(['new', 'swap', 'into']);
export type RestoreMode = z.infer<typeof restoreModeSchema>;

/** Which backup. `backup` is an id, the beginning of one, or `latest`; the others narrow the choice, newest first. */
export const choiceSchema = z.strictObject({
  source: z.string().optional(),
  backup: z.string().default('latest'),
  /** The newest whose snapshot is at or before this time. */
  at: z.iso.datetime({ offset: true }).optional(),
  labels: z.record(z.string(), z.string()).default({}),
  /** The id of the backup that a person was shown for this choice, and has agreed to: it and no newer one is taken. */
  meant: z.string().optional(),
});
export type Choice = z.infer<typeof choiceSchema>;

/** What of the backup, for mode `into`: patterns as in pg_dump. Empty: all. */
export const selectionSchema = z.strictObject({
  schemas: z.array(name).default([]),
  tables: z.array(name).default([]),
  /** SQL condition on the rows of the one table that is chosen. */
  where: z.string().optional(),
  /** Existing tables: what becomes of a row whose primary key is there already. */
  onConflict: z.enum(['error', 'skip', 'replace']).optional(),
  /** The one chosen table under another name, beside the original. */
  as: name.optional(),
  /** All chosen tables in another schema, beside the originals. */
  intoSchema: name.optional(),
  /** Foreign keys that the restored rows would break are made NOT VALID instead of refused. */
  allowOrphans: z.boolean().default(false),
});
export type Selection = z.infer<typeof selectionSchema>;

export const roleOptionsSchema = z.strictObject({
  /** Missing ones, as NOLOGIN. */
  createMissing: z.boolean().default(false),
  noOwner: z.boolean().default(false),
  noPrivileges: z.boolean().default(false),
  /** Role of the backup → role of the target. */
  map: z.record(z.string(), z.string()).default({}),
});
export type RoleOptions = z.infer<typeof roleOptionsSchema>;

/** A check of the user's own, after the comparison and before the cutover. */
export const ownCheckSchema = z.union([
  /** `expect`: the text of the first column of the first row, as psql prints it; default `t`. */
  z.strictObject({ name, sql: z.string(), expect: z.string().default('t') }),
  /** A shell command that must exit with 0; DATABASE_URL is the restored database. On one machine only. */
  z.strictObject({ name, command: z.string() }),
]);
export type OwnCheck = z.infer<typeof ownCheckSchema>;

export const restoreOptionsSchema = z.strictObject({
  /** Loads, builds and comparisons at once. */
  jobs: z.int().positive().default(8),
  /** Aim of a load unit's size, plain bytes. */
  unitBytes: z
    .int()
    .positive()
    .default(256 << 20),
  /** Objects of pre-data per statement batch: 3,000 CREATE TABLEs in one transaction exhaust the lock table. */
  batchObjects: z.int().positive().default(500),
  /** Seconds a task may take before it hands the rest back. */
  taskSeconds: z.number().positive().default(840),
  leaseSeconds: z.int().positive().default(300),
  /** Between two looks at an index that is being built, at first; then a tenth of its age, 300 s at most. */
  pollSeconds: z.int().positive().default(5),
});
export type RestoreOptions = z.infer<typeof restoreOptionsSchema>;

export const objectivesSchema = z.strictObject({
  rtoSeconds: z.number().positive().optional(),
  rpoSeconds: z.number().positive().optional(),
});

/** The input of an execution of the state machine `restore`. */
export const restoreInputSchema = z.strictObject({
  /** Name of the target server's connection, as for a backup's source. */
  target: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  choice: choiceSchema.prefault({}),
  mode: restoreModeSchema.default('new'),
  /**
   * `new`: the database to create (default `<name>_restore_<id>`); `swap`: the one to replace (default: the backup's);
   * `into`: the one to write into (required).
   */
  database: name.optional(),
  selection: selectionSchema.prefault({}),
  roles: roleOptionsSchema.prefault({}),
  /** Before anything is replaced. */
  safetyBackup: z.boolean().default(true),
  /** May sessions of the database that is swapped away be ended? */
  disconnect: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  checks: z.array(ownCheckSchema).default([]),
  /** Shell commands around the cutover; one that fails before it rolls back, one after it is a warning. */
  hooks: z
    .strictObject({ beforeCutover: z.string().optional(), afterCutover: z.string().optional() })
    .prefault({}),
  /** Targets that the report measures against, seconds. */
  objectives: objectivesSchema.prefault({}),
  options: restoreOptionsSchema.prefault({}),
  requestedBy: requestedBySchema,
  ...startedBy,
});
export type RestoreInput = z.infer<typeof restoreInputSchema>;

/** The input of an execution of the state machine `drill`. */
export const drillInputSchema = restoreInputSchema
  .pick({
    target: true,
    choice: true,
    roles: true,
    checks: true,
    objectives: true,
    options: true,
    requestedBy: true,
    AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: true,
  })
  .extend({
    keepScratch: z.boolean().default(false),
    /** The time at which the schedule fired; claimed, so that a double delivery is a duplicate. */
    scheduledAt: z.iso.datetime().optional(),
  });
export type DrillInput = z.infer<typeof drillInputSchema>;
