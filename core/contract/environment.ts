/**
 * `environments/<env>.json`: everything that differs between two deployments, and the sources that the CLI and a local
 * agent share with it. Published as JSON Schema; unknown keys are refused. What one value says of another is in
 * `core/environment/rules.ts`; how a wrong one is told, in `core/environment/read-environment.ts`.
 *
 * Invariant: no secret is in it. A connection names where its secret is.
 */
import { z } from 'zod';
import { isCertificate, isSigningKey } from '../environment/pem.ts';
import { checkEnvironment } from '../environment/rules.ts';
import { filtersSchema } from './filters.ts';
import { retentionPolicySchema, timeZoneSchema } from './retention.ts';

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, {
  error: 'allowed are 1 to 40 lower-case letters, digits and hyphens',
});
const region = z
  .string()
  .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, { error: 'allowed is a Region, as eu-central-1' });
const account = z
  .string()
  .regex(/^\d{12}$/, { error: 'allowed is an account id, 12 digits in quotes' });
/** As EventBridge Scheduler takes it: `cron(0 3 * * ? *)` or `rate(6 hours)`. */
const scheduleExpression = z
  .string()
  .regex(/^(cron\(\S+( \S+){5}\)|rate\([1-9]\d* (minutes?|hours?|days?)\))$/, {
    error: 'allowed is as cron(0 3 * * ? *), six fields, or rate(6 hours)',
  })
  .refine((it) => !it.startsWith('cron') || hasOneDay(it), {
    error:
      'allowed is exactly one ? among day of month (third field) and day of week (fifth), as in cron(0 3 * * ? *)',
  });

function hasOneDay(cron: string): boolean {
  const [, , dayOfMonth, , dayOfWeek] = cron.slice('cron('.length, -1).split(' ');
  return (dayOfMonth === '?') !== (dayOfWeek === '?');
}

const email = z.email({ error: 'allowed is an address, as dba@example.com' });

/** An id that AWS gave: `vpc-0a1b2c3d`. */
const idOf = (kind: string) =>
  z.string().regex(new RegExp(`^${kind}-[0-9a-f]{8,17}$`), {
    error: `allowed is an id, as ${kind}-0a1b2c3d4e5f67890`,
  });

type Reference = { [Key in 'secret' | 'dbInstance' | 'dbCluster']?: string | undefined };
const namesServer = (it: Reference) =>
  it.secret !== undefined || it.dbInstance !== undefined || it.dbCluster !== undefined;

/** Where a server is and how to log in to it. Exactly one of `secret` alone, `dbInstance` and `dbCluster` finds the host. */
export const connectionReferenceSchema = z
  .strictObject({
    /**
     * ARN or name of a secret of Secrets Manager with the keys that RDS writes: `username`, `password`, and, unless
     * the host is found through RDS, `host`, `port`, `dbname`.
     */
    secret: z
      .string()
      .regex(/^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:)?[\w/+=.@-]{1,512}$/, {
        error: 'allowed is the name or the ARN of a secret of Secrets Manager, never what is in it',
      })
      .optional(),
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
        ca: z
          .string()
          .refine(isCertificate, {
            error: 'allowed is a certificate in PEM (its -----BEGIN line on)',
          })
          .optional(),
      })
      .prefault({}),
  })
  .refine((it) => [it.dbInstance, it.dbCluster].filter((id) => id !== undefined).length <= 1, {
    error: 'names dbInstance and dbCluster; allowed is one of them',
  })
  .refine(namesServer, {
    error:
      'names no secret, dbInstance or dbCluster; one of them is needed to say where the server is',
  })
  .refine((it) => it.auth !== 'iam' || it.user !== undefined, {
    error: 'is missing; auth iam needs the name of the role of PostgreSQL that has rds_iam',
    path: ['user'],
  })
  .refine((it) => it.auth !== 'secret' || it.secret !== undefined || !namesServer(it), {
    error: 'is missing; auth secret needs it (for a server with IAM authentication say auth iam)',
    path: ['secret'],
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
  vpcId: idOf('vpc'),
  availabilityZones: z.array(z.string()).min(1),
  subnetIds: z.array(idOf('subnet')).min(1),
  /** Of the functions; the server must let them in. */
  securityGroupIds: z.array(idOf('sg')).min(1),
  /** Needed when endpoints are made. */
  routeTableIds: z.array(idOf('rtb')).default([]),
  /** Makes the VPC endpoints that the functions need. Leave it off when the VPC has them, or a NAT gateway. */
  makesEndpoints: z.boolean().default(false),
});
export type Network = z.infer<typeof networkSchema>;

/** CloudWatch Logs takes no other numbers of days. */
const logDays = z.literal([
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653,
]);

const signingPublicKeySchema = z.strictObject({
  keyId: z.string().regex(/^mrk-[0-9a-f]{32}$/, {
    error: 'allowed is the id of a multi-Region key, mrk- and 32 hex digits',
  }),
  publicKey: z.string().refine(isSigningKey, {
    error:
      'allowed is a public key in PEM on the curve P-256, as `aws kms get-public-key` gives it',
  }),
});

const environmentObject = z.strictObject({
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
   * Names of the roles, with `*` and `?`, with which CloudFormation deploys: nobody else changes the settings of a vault
   * (its policy, lifecycle, locks, replication). The default is what `cdk bootstrap` makes.
   */
  deployRoles: z
    .array(
      z.string().regex(/^[\w+=,.@*?-]{1,64}$/, {
        error: 'allowed is the name of a role, without its path, with * and ?',
      }),
    )
    .min(1)
    .default(['cdk-*-cfn-exec-role-*']),
  /**
   * How many signing keys there are; the newest signs. An asymmetric key cannot rotate: one more makes a new key and keeps
   * the old ones, with which older backups are checked.
   */
  signingKeys: z.int().min(1).max(9).default(1),
  /**
   * Public halves of the signing keys, by generation, oldest first. Pinned here, because who can write the vault could
   * write a key into it. Without any, the key of the deployment is asked.
   */
  signingPublicKeys: z.array(signingPublicKeySchema).default([]),
  /** Who hears of failures. */
  notify: z.strictObject({ emails: z.array(email).default([]) }).prefault({}),
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
  logDays: logDays.default(90),
});
export type Environment = z.infer<typeof environmentObject>;

export const environmentSchema = environmentObject.superRefine(checkEnvironment);

/** What the functions read of a source: the value of its parameter, so that a schedule can change without it. */
export const sourceParameterSchema = sourceSchema
  .omit({ schedules: true, drill: true })
  .extend({ lockMode: z.enum(['GOVERNANCE', 'COMPLIANCE']) });
export type SourceParameter = z.infer<typeof sourceParameterSchema>;

export const targetParameterSchema = targetSchema.omit({ region: true });
export type TargetParameter = z.infer<typeof targetParameterSchema>;
