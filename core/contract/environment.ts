/**
 * `environments/<env>.json`: everything that differs between two deployments, and the sources that the CLI and a local
 * agent share with it. Published as JSON Schema; unknown keys are refused. What one value says of another is in
 * `core/environment/rules.ts`; how a wrong one is told, in `core/environment/read-environment.ts`.
 *
 * Invariant: no secret is in it. A connection names where its secret is.
 */
import { z } from 'zod';
import { checkEnvironment } from '../environment/rules.ts';
import { connectionReferenceSchema } from './environment/connection.ts';
import {
  account,
  email,
  idOf,
  keyId,
  logDays,
  name,
  region,
  scheduleExpression,
  signingPublicKeySchema,
  slackId,
} from './environment/fields.ts';
import { filtersSchema } from './filters.ts';
import { retentionPolicySchema, timeZoneSchema } from './retention.ts';

export { type ConnectionReference, connectionReferenceSchema } from './environment/connection.ts';

const flexibleMinutes = z.int().min(0).max(1440).default(15);

export const backupScheduleSchema = z.strictObject({
  tier: z.enum(['hourly', 'daily']),
  at: scheduleExpression,
  flexibleMinutes: flexibleMinutes.describe(
    'The backup begins within this window after `at`. 0: at the minute.',
  ),
});

export const drillScheduleSchema = z.strictObject({
  at: scheduleExpression,
  flexibleMinutes,
  target: name.describe('Name of one of `targets`.'),
});

export const sourceSchema = z.strictObject({
  name,
  connection: connectionReferenceSchema,
  timeZone: timeZoneSchema.default('UTC'),
  schedules: z.array(backupScheduleSchema).default([]),
  drill: drillScheduleSchema.optional(),
  filters: filtersSchema.prefault({}),
  retention: retentionPolicySchema.prefault({}),
  objectives: z
    .strictObject({
      rpoHours: z.number().positive(),
      rtoHours: z.number().positive(),
      provenDays: z
        .number()
        .positive()
        .optional()
        .describe(
          'A backup no older than this has been restored by a drill. Default: 9 where drills are scheduled (a week, and the age of the backup), else nothing is promised.',
        ),
      snapshotHours: z
        .number()
        .positive()
        .optional()
        .describe(
          'How long a backup may hold its snapshot on the source, where VACUUM waits for it. Default: rpoHours.',
        ),
    })
    .optional()
    .describe('What is promised: hours. Alarms and reports measure against them.'),
  jobs: z.int().positive().max(100).default(8).describe('Units at once.'),
  onBlockedDdl: z.enum(['fail', 'cancel-waiter']).default('fail'),
  rowSecurityProven: z
    .array(z.string())
    .default([])
    .describe(
      'Tables (`schema.name`) whose row security is shown, in the snapshot, to hide nothing.',
    ),
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
  securityGroupIds: z
    .array(idOf('sg'))
    .min(1)
    .describe('Of the functions; the server must let them in.'),
  routeTableIds: z.array(idOf('rtb')).default([]).describe('Needed when endpoints are made.'),
  makesEndpoints: z
    .boolean()
    .default(false)
    .describe(
      'Makes the VPC endpoints that the functions need. Leave it off when the VPC has them, or a NAT gateway.',
    ),
});
export type Network = z.infer<typeof networkSchema>;

const environmentObject = z.strictObject({
  $schema: z.string().optional(),
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,11}$/, {
      error: 'allowed are 1 to 12 lower-case letters, digits and hyphens, beginning with a letter',
    })
    .describe(
      'Part of every name, so that environments in one account do not collide. The file’s name.',
    ),
  account,
  regions: z.strictObject({ primary: region, replica: region.optional() }),
  replicaAccount: account
    .optional()
    .describe('The replica vault in an account of its own. Needs `regions.replica`.'),
  network: z
    .strictObject({ primary: networkSchema.optional(), replica: networkSchema.optional() })
    .prefault({}),
  lock: z
    .strictObject({
      mode: z
        .enum(['GOVERNANCE', 'COMPLIANCE'])
        .default('GOVERNANCE')
        .describe('COMPLIANCE: nobody, not even root of the account, shortens it.'),
      defaultDays: z
        .int()
        .positive()
        .default(1)
        .describe('Of every object at birth, until Publish extends it.'),
    })
    .prefault({}),
  deployRoles: z
    .array(
      z.string().regex(/^[\w+=,.@*?-]{1,64}$/, {
        error: 'allowed is the name of a role, without its path, with * and ?',
      }),
    )
    .min(1)
    .default(['cdk-hnb659fds-cfn-exec-role-*'])
    .describe(
      'Names of the roles, with `*` and `?`, with which CloudFormation deploys: nobody else changes the settings of a vault (its policy, lifecycle, locks, replication). The default is what `cdk bootstrap` makes, without a qualifier of your own.',
    ),
  encryptionKeyId: keyId
    .optional()
    .describe(
      'Id of the encryption key, pinned after the first deployment, as those of the signing keys are in `signingPublicKeys`: the replicas of the keys then name their primaries by ids that stand in the template, so that no upgrade plans to replace a replica.',
    ),
  signingKeys: z
    .int()
    .min(1)
    .max(9)
    .default(1)
    .describe(
      'How many signing keys there are; the newest signs. An asymmetric key cannot rotate: one more makes a new key and keeps the old ones, with which older backups are checked.',
    ),
  signingPublicKeys: z
    .array(signingPublicKeySchema)
    .default([])
    .describe(
      'Public halves of the signing keys, by generation, oldest first. Pinned here, because who can write the vault could write a key into it. Without any, the key of the deployment is asked.',
    ),
  notify: z
    .strictObject({
      emails: z
        .array(email)
        .optional()
        .describe('An empty list says that nobody needs to hear: a synth warns of none at all.'),
      slack: z
        .strictObject({ workspaceId: slackId('T'), channelId: slackId('CG') })
        .optional()
        .describe(
          'A channel that hears of alarms, by Amazon Q Developer in chat applications (AWS Chatbot). Its workspace has to be authorized in that console first.',
        ),
    })
    .prefault({})
    .describe('Who hears of failures.'),
  trail: z
    .boolean()
    .default(false)
    .describe(
      'Makes a trail of CloudTrail in each Region, for deletes in the vault and for what is done to keys and buckets. Leave it off where the account has a trail that logs management events and these deletes.',
    ),
  sources: z.array(sourceSchema).min(1),
  targets: z.array(targetSchema).default([]),
  exercise: z
    .strictObject({
      source: name,
      target: name,
      at: scheduleExpression,
      timeZone: timeZoneSchema.default('UTC'),
    })
    .optional()
    .describe('A full recovery exercise in the replica Region.'),
  reservedConcurrency: z
    .strictObject({
      DumpUnit: z.int().positive().nullable().default(null),
      VerifyUnit: z.int().positive().nullable().default(null),
      LoadUnit: z.int().positive().nullable().default(null),
      CompareUnit: z.int().positive().nullable().default(null),
    })
    .prefault({})
    .describe(
      'Functions of one kind at once, over all sources. Null: not reserved (a new account has 10 in all).',
    ),
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
