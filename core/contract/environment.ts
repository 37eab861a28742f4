/**
 * `environments/<env>.json`: everything that differs between two deployments, and the sources that the CLI and a local
 * agent share with it. Published as JSON Schema; unknown keys are refused.
 *
 * Invariant: no secret is in it. A connection names where its secret is.
 */
import { z } from 'zod';
import { filtersSchema } from './filters.ts';
import { retentionPolicySchema, timeZoneSchema } from './retention.ts';

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, {
  error: 'allowed are 1 to 40 lower-case letters, digits and hyphens',
});
const region = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, { error: 'a Region, as eu-central-1' });
const account = z.string().regex(/^\d{12}$/, { error: 'an account id of 12 digits' });
/** As EventBridge Scheduler takes it: `cron(0 3 * * ? *)` or `rate(6 hours)`. */
const scheduleExpression = z
  .string()
  .regex(/^(cron\(\S+( \S+){5}\)|rate\(\d+ (minutes?|hours?|days?)\))$/, {
    error: 'as cron(0 3 * * ? *), six fields, or rate(6 hours)',
  });

/** Where a server is and how to log in to it. Exactly one of `secret` alone, `dbInstance` and `dbCluster` finds the host. */
export const connectionReferenceSchema = z
  .strictObject({
    /**
     * ARN or name of a secret of Secrets Manager with the keys that RDS writes: `username`, `password`, and, unless
     * the host is found through RDS, `host`, `port`, `dbname`.
     */
    secret: z.string().optional(),
    dbInstance: z.string().optional(),
    dbCluster: z.string().optional(),
    /** Default: `dbname` of the secret, or what RDS calls the first database. */
    database: z.string().optional(),
    /** Needed with `auth: iam`. */
    user: z.string().optional(),
    /** `iam`: a token of RDS for each connection, and no secret. */
    auth: z.enum(['secret', 'iam']).default('secret'),
    /** Of a cluster: dump from a reader. Refused by Plan unless hot_standby_feedback and the delay allow it. */
    reader: z.boolean().default(false),
    tls: z
      .strictObject({
        mode: z.enum(['disable', 'require', 'verify-ca', 'verify-full']).default('verify-full'),
        /** PEM of the authority; default: those of Amazon RDS. */
        ca: z.string().optional(),
      })
      .prefault({}),
  })
  .refine((it) => [it.dbInstance, it.dbCluster].filter((id) => id !== undefined).length <= 1, {
    error: 'names dbInstance and dbCluster; one of them',
  })
  .refine(
    (it) => it.secret !== undefined || it.dbInstance !== undefined || it.dbCluster !== undefined,
    {
      error: 'names no secret, dbInstance or dbCluster; one of them says where the server is',
    },
  )
  .refine((it) => (it.auth === 'iam' ? it.user !== undefined : it.secret !== undefined), {
    error: 'auth iam needs user, auth secret needs secret',
  });
export type ConnectionReference = z.infer<typeof connectionReferenceSchema>;

const flexibleMinutes = z.int().min(0).max(1440).default(15);

export const backupScheduleSchema = z.strictObject({
  tier: z.enum(['hourly', 'daily']),
  at: scheduleExpression,
  /** The backup begins within this window after `at`. 0: at the minute. */
  flexibleMinutes,
});

export const drillScheduleSchema = z.strictObject({
  at: scheduleExpression,
  flexibleMinutes,
  /** Name of one of `targets`. */
  target: name,
});

export const sourceSchema = z.strictObject({
  name,
  connection: connectionReferenceSchema,
  timeZone: timeZoneSchema.default('UTC'),
  schedules: z.array(backupScheduleSchema).default([]),
  drill: drillScheduleSchema.optional(),
  filters: filtersSchema.prefault({}),
  retention: retentionPolicySchema.prefault({}),
  /** What is promised: hours. Alarms and reports measure against them. */
  objectives: z
    .strictObject({ rpoHours: z.number().positive(), rtoHours: z.number().positive() })
    .optional(),
  /** Units at once. */
  jobs: z.int().positive().max(100).default(8),
  onBlockedDdl: z.enum(['fail', 'cancel-waiter']).default('fail'),
  /** Tables (`schema.name`) whose row security is shown, in the snapshot, to hide nothing. */
  rowSecurityProven: z.array(z.string()).default([]),
});
export type Source = z.infer<typeof sourceSchema>;

/** A server to restore to. Sources are targets too, under their own names. */
export const targetSchema = z.strictObject({
  name,
  region: z.enum(['primary', 'replica']).default('primary'),
  connection: connectionReferenceSchema,
});
export type Target = z.infer<typeof targetSchema>;

/** Given, not looked up: a synth needs no account. */
export const networkSchema = z.strictObject({
  vpcId: z.string(),
  availabilityZones: z.array(z.string()).min(1),
  subnetIds: z.array(z.string()).min(1),
  /** Of the functions; the server must let them in. */
  securityGroupIds: z.array(z.string()).min(1),
  /** Needed when endpoints are made. */
  routeTableIds: z.array(z.string()).default([]),
  /** Makes the VPC endpoints that the functions need. Leave it off when the VPC has them, or a NAT gateway. */
  makesEndpoints: z.boolean().default(false),
});
export type Network = z.infer<typeof networkSchema>;

export const environmentSchema = z.strictObject({
  $schema: z.string().optional(),
  /** Part of every name, so that environments in one account do not collide. The file's name. */
  name: z.string().regex(/^[a-z][a-z0-9-]{0,11}$/, {
    error: 'allowed are 1 to 12 lower-case letters, digits and hyphens, beginning with a letter',
  }),
  account,
  regions: z.strictObject({ primary: region, replica: region.optional() }),
  /** The replica vault in an account of its own. Needs `regions.replica`. */
  replicaAccount: account.optional(),
  network: z
    .strictObject({ primary: networkSchema.optional(), replica: networkSchema.optional() })
    .prefault({}),
  lock: z
    .strictObject({
      /** COMPLIANCE: nobody, not even root of the account, shortens it. */
      mode: z.enum(['GOVERNANCE', 'COMPLIANCE']).default('GOVERNANCE'),
      /** Of every object at birth, until Publish extends it. */
      defaultDays: z.int().positive().default(1),
    })
    .prefault({}),
  /**
   * Public halves of the signing keys, by generation, oldest first. Pinned here, because who can write the vault could
   * write a key into it. Without any, the key of the deployment is asked.
   */
  signingPublicKeys: z
    .array(z.strictObject({ keyId: z.string(), publicKey: z.string() }))
    .default([]),
  /** Who hears of failures. */
  notify: z.strictObject({ emails: z.array(z.email()).default([]) }).prefault({}),
  sources: z.array(sourceSchema).min(1),
  targets: z.array(targetSchema).default([]),
  /** A full recovery exercise in the replica Region. */
  exercise: z
    .strictObject({
      source: name,
      target: name,
      at: scheduleExpression,
      timeZone: timeZoneSchema.default('UTC'),
    })
    .optional(),
  /** Functions of one kind at once, over all sources. Null: not reserved (a new account has 10 in all). */
  reservedConcurrency: z
    .strictObject({
      DumpUnit: z.int().positive().nullable().default(null),
      VerifyUnit: z.int().positive().nullable().default(null),
      LoadUnit: z.int().positive().nullable().default(null),
      CompareUnit: z.int().positive().nullable().default(null),
    })
    .prefault({}),
  logDays: z.int().positive().default(90),
});
export type Environment = z.infer<typeof environmentSchema>;

/** What the functions read of a source: the value of its parameter, so that a schedule can change without it. */
export const sourceParameterSchema = sourceSchema
  .omit({ schedules: true, drill: true })
  .extend({ lockMode: z.enum(['GOVERNANCE', 'COMPLIANCE']) });
export type SourceParameter = z.infer<typeof sourceParameterSchema>;

export const targetParameterSchema = targetSchema.omit({ region: true });
export type TargetParameter = z.infer<typeof targetParameterSchema>;
