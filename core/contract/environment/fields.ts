/** The values of an environment that are one text or number: each says itself what is allowed. */
import { z } from 'zod';
import { isSigningKey } from '../../environment/pem.ts';

export const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, {
  error: 'allowed are 1 to 40 lower-case letters, digits and hyphens',
});
export const region = z
  .string()
  .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, { error: 'allowed is a Region, as eu-central-1' })
  // Every ARN here begins with arn:aws.
  .refine((it) => !/^(cn|us-gov|us-iso[a-z]*|eu-isoe)-/.test(it), {
    error: 'allowed is a Region of the partition aws: not of China, GovCloud or an isolated one',
  });
export const account = z
  .string()
  .regex(/^\d{12}$/, { error: 'allowed is an account id, 12 digits in quotes' });
/** As EventBridge Scheduler takes it: `cron(0 3 * * ? *)` or `rate(6 hours)`. */
export const scheduleExpression = z
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

export const email = z.email({ error: 'allowed is an address, as dba@example.com' });

/** An id that AWS gave: `vpc-0a1b2c3d`. */
export const idOf = (kind: string) =>
  z.string().regex(new RegExp(`^${kind}-[0-9a-f]{8,17}$`), {
    error: `allowed is an id, as ${kind}-0a1b2c3d4e5f67890`,
  });

/** @param kinds first letters that are allowed */
export const slackId = (kinds: string) =>
  z.string().regex(new RegExp(`^[${kinds}][0-9A-Z]{6,20}$`), {
    error: `allowed is an id of Slack, as ${kinds[0]}0123ABCDEF`,
  });

/** CloudWatch Logs takes no other numbers of days. */
export const logDays = z.literal([
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653,
]);

export const keyId = z.string().regex(/^mrk-[0-9a-f]{32}$/, {
  error: 'allowed is the id of a multi-Region key, mrk- and 32 hex digits',
});

export const signingPublicKeySchema = z.strictObject({
  keyId,
  publicKey: z.string().refine(isSigningKey, {
    error:
      'allowed is a public key in PEM on the curve P-256, as `aws kms get-public-key` gives it',
  }),
});
