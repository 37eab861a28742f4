/** Where a server is and how to log in to it. Invariant: no secret is in it, it names where the secret is. */
import { z } from 'zod';
import { isCertificate } from '../../environment/pem.ts';

type Reference = { [Key in 'secret' | 'dbInstance' | 'dbCluster']?: string | undefined };
const namesServer = (it: Reference) =>
  it.secret !== undefined || it.dbInstance !== undefined || it.dbCluster !== undefined;

/** Exactly one of `secret` alone, `dbInstance` and `dbCluster` finds the host. */
export const connectionReferenceSchema = z
  .strictObject({
    secret: z
      .string()
      .regex(/^(arn:aws:secretsmanager:[a-z0-9-]+:\d{12}:secret:)?[\w/+=.@!-]{1,512}$/, {
        error: 'allowed is the name or the ARN of a secret of Secrets Manager, never what is in it',
      })
      .optional()
      .describe(
        'ARN or name of a secret of Secrets Manager with the keys that RDS writes: `username`, `password`, and, unless the host is found through RDS, `host`, `port`, `dbname`. `rds!db-…` and `rds!cluster-…`, which RDS manages itself, too.',
      ),
    dbInstance: z.string().optional(),
    dbCluster: z.string().optional(),
    database: z
      .string()
      .optional()
      .describe('Default: `dbname` of the secret, or what RDS calls the first database.'),
    user: z.string().optional().describe('Needed with `auth: iam`.'),
    auth: z
      .enum(['secret', 'iam'])
      .default('secret')
      .describe('`iam`: a token of RDS for each connection, and no secret.'),
    reader: z
      .boolean()
      .default(false)
      .describe(
        'Of a cluster: dump from a reader. Refused by Plan unless hot_standby_feedback and the delay allow it.',
      ),
    tls: z
      .strictObject({
        mode: z.enum(['disable', 'require', 'verify-ca', 'verify-full']).default('verify-full'),
        ca: z
          .string()
          .refine(isCertificate, {
            error: 'allowed is a certificate in PEM (its -----BEGIN line on)',
          })
          .optional()
          .describe('PEM of the authority; default: those of Amazon RDS.'),
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
