/**
 * The environment of a function, parsed once at its cold start. Invariant: what is missing or wrong is refused by its
 * name, with the value got and what is allowed; nothing has a default that could point at another deployment.
 */
import { z } from 'zod';
import { functionEnvNames } from '../core/contract/env.ts';
import { environmentSchema } from '../core/contract/environment.ts';
import { HoldfastError } from '../core/contract/errors.ts';

const bucket = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { error: 'allowed is a bucket name' });
const region = z
  .string()
  .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, { error: 'allowed is a Region, as eu-central-1' });
const keyArn = z.string().regex(/^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/, {
  error: 'allowed is the ARN of a KMS key, as arn:aws:kms:eu-central-1:123456789012:key/mrk-…',
});

const functionEnvironmentSchema = z
  .strictObject({
    environment: environmentSchema.shape.name,
    vaultBucket: bucket,
    workspaceBucket: bucket,
    vaultId: z.string().min(1, { error: 'allowed is the id of the vault' }),
    encryptionKey: keyArn,
    signingKey: keyArn,
    signingPublicKeys: z.preprocess(parseJson, environmentSchema.shape.signingPublicKeys),
    replicaBucket: bucket.optional(),
    replicaRegion: region.optional(),
    replicaEncryptionKey: keyArn.optional(),
    lockMode: z.enum(['GOVERNANCE', 'COMPLIANCE'], {
      error: 'allowed is GOVERNANCE or COMPLIANCE',
    }),
    recordFunction: z.string().min(1, { error: 'allowed is the name of a function' }).optional(),
    /** Set by Lambda itself. */
    region,
  })
  .superRefine((it, context) => {
    const replica = ['replicaBucket', 'replicaRegion', 'replicaEncryptionKey'] as const;
    const missing = replica.filter((name) => it[name] === undefined);
    if (missing.length === 0 || missing.length === replica.length) return;
    for (const name of missing) {
      context.addIssue({
        code: 'custom',
        path: [name],
        message: 'allowed is all of a replica or nothing of it',
      });
    }
  });
export type FunctionEnvironment = z.infer<typeof functionEnvironmentSchema>;

const names = { ...functionEnvNames, region: 'AWS_REGION' } as const;

/** @throws ConfigurationError naming each variable, what was got and what is allowed */
export function functionEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): FunctionEnvironment {
  // An empty variable is none: CloudFormation cannot leave one out by condition.
  const got = Object.fromEntries(
    Object.entries(names).flatMap(([field, name]) => (env[name] ? [[field, env[name]]] : [])),
  );
  const parsed = functionEnvironmentSchema.safeParse(got);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => {
    const name = names[path[0] as keyof typeof names];
    const value = env[name];
    return `${name} is ${value ? JSON.stringify(value) : 'not set'}; ${message}`;
  });
  throw new HoldfastError(
    'ConfigurationError',
    `The environment of the function: ${problems.join('; ')}.`,
    { hint: 'The stacks set these variables: deploy again with `npx cdk deploy`.' },
  );
}

function parseJson(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
