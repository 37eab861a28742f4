/**
 * What somebody who has taken over a function may try, and whether its role lets him: the table of docs/rights.md, and the
 * calls that test/cloud/iam makes. Pure data and a small reading of IAM: only what statements.ts uses of its language.
 */
import type { Reach, Statement } from './statements.ts';

export interface Attempt {
  readonly title: string;
  readonly group: 'vault' | 'workspace and copy' | 'keys and services';
  /** All of them are needed. */
  readonly actions: readonly string[];
  /** `*` stands for the name of whoever tries. Undefined: there is no such thing in this Region. */
  readonly resource: (reach: Reach) => string | undefined;
  readonly context?: (reach: Reach) => Readonly<Record<string, string>>;
}

/** Where attempts on objects go: as real keys are, of a source that no environment has. */
export const probe = {
  data: 'backups/zz-probe/b1/data/probe-*',
  schema: 'backups/zz-probe/b1/schema/probe-*',
  manifest: 'backups/zz-probe/b1-*/manifest.json',
  catalogue: 'catalog/zz-probe/probe-*',
  evidence: 'evidence/zz-probe/probe-*',
  marker: 'vault.json',
  run: 'runs/zz-probe/units/probe-*',
  claim: 'claims/zz-probe/probe-*',
  restore: 'restores/zz-probe/facts/probe-*',
} as const;

type Where = Attempt['group'];
const tag = {
  asked: 's3:RequestObjectTag/holdfast-tier',
  is: 's3:ExistingObjectTag/holdfast-tier',
};

const inVault = (title: string, actions: string[], key: string, context = {}): Attempt => ({
  ...{ title, actions, group: 'vault' },
  resource: ({ vaultArn }) => `${vaultArn}/${key}`,
  context: () => context,
});
const inWorkspace = (title: string, action: string, key: string): Attempt => ({
  ...{ title, actions: [action], group: 'workspace and copy' },
  resource: ({ workspaceArn }) => `${workspaceArn}/${key}`,
});
const inCopy = (title: string, action: string, context = {}): Attempt => ({
  ...{ title, actions: [action], group: 'workspace and copy' },
  resource: ({ replica }) => replica && `${replica.vaultArn}/${probe.data}`,
  context: () => context,
});
const on = (title: string, action: string, resource: Attempt['resource']): Attempt => ({
  ...{ title, resource, actions: [action], group: 'keys and services' as Where },
});
const withKey = (title: string, action: string, vaultId?: string): Attempt => ({
  ...on(title, action, ({ encryptionKeyArn }) => encryptionKeyArn),
  context: (reach) => ({ 'kms:EncryptionContext:vault': vaultId ?? reach.vaultId }),
});

const putTagged = ['s3:PutObject', 's3:PutObjectTagging'];
const staged = { [tag.asked]: 'staged' };
const kept = { [tag.asked]: 'daily', [tag.is]: 'staged' };

export const attempts = {
  readData: inVault('read data', ['s3:GetObject'], probe.data),
  readManifest: inVault('read a manifest', ['s3:GetObject'], probe.manifest),
  readCatalogue: inVault('read the catalogue', ['s3:GetObject'], probe.catalogue),
  readEvidence: inVault('read evidence', ['s3:GetObject'], probe.evidence),
  putData: inVault('write data, staged', putTagged, probe.data, staged),
  putKeptData: inVault('write data as a kept tier', putTagged, probe.data, {
    [tag.asked]: 'daily',
  }),
  putSchema: inVault('write schema, staged', putTagged, probe.schema, staged),
  putManifest: inVault('write a manifest', putTagged, probe.manifest, staged),
  putCatalogue: inVault('write the catalogue', ['s3:PutObject'], probe.catalogue),
  putEvidence: inVault('write evidence', ['s3:PutObject'], probe.evidence),
  putMarker: inVault('write vault.json', ['s3:PutObject'], probe.marker),
  tagData: inVault('change the tier', ['s3:PutObjectTagging'], probe.data, kept),
  lockData: inVault('lock', ['s3:PutObjectRetention'], probe.data),
  holdData: inVault('hold', ['s3:PutObjectLegalHold'], probe.data),
  deleteData: inVault('delete', ['s3:DeleteObject'], probe.data),

  putRun: inWorkspace('write a run', 's3:PutObject', probe.run),
  deleteRun: inWorkspace('drop units of a run', 's3:DeleteObject', probe.run),
  putClaim: inWorkspace('claim a time', 's3:PutObject', probe.claim),
  putRestore: inWorkspace('write a restore', 's3:PutObject', probe.restore),
  deleteRestore: inWorkspace('drop facts of a restore', 's3:DeleteObject', probe.restore),
  readCopy: inCopy('read the copy', 's3:GetObject'),
  putCopy: inCopy('write to the copy', 's3:PutObject', staged),
  lockCopy: inCopy('lock the copy', 's3:PutObjectRetention'),
  deleteCopy: inCopy('delete in the copy', 's3:DeleteObject'),

  wrap: withKey('make a data key', 'kms:GenerateDataKey'),
  wrapOther: withKey('make one for another vault', 'kms:GenerateDataKey', 'another-vault'),
  unwrap: withKey('decrypt', 'kms:Decrypt'),
  unwrapCopy: {
    ...on('decrypt the copy', 'kms:Decrypt', ({ replica }) => replica?.encryptionKeyArn),
    context: (reach) => ({ 'kms:EncryptionContext:vault': reach.vaultId }),
  },
  unwrapOther: withKey('decrypt of another vault', 'kms:Decrypt', 'another-vault'),
  sign: on('sign', 'kms:Sign', ({ signingKeyArn }) => signingKeyArn),
  readSecret: on('read a password', 'secretsmanager:GetSecretValue', ({ secretArns }) =>
    secretArns.at(-1)?.replaceAll('?', 'a'),
  ),
  readParameter: on('read a source', 'ssm:GetParameter', ({ parameterArns }) =>
    parameterArns[0]?.replace(/\*$/, 'sources/shop'),
  ),
  record: on('have evidence recorded', 'lambda:InvokeFunction', (it) => it.recordFunctionArn),
  stop: on('stop an execution', 'states:StopExecution', ({ executionArns }) =>
    executionArns[0]?.replace(/\*$/, 'zz-probe'),
  ),
} as const satisfies Record<string, Attempt>;

export type AttemptName = keyof typeof attempts;

/** As IAM decides: something allows it and nothing denies it. */
export function lets(statements: readonly Statement[], attempt: Attempt, reach: Reach): boolean {
  const resource = attempt.resource(reach);
  const context = attempt.context?.(reach) ?? {};
  const fits = (action: string) => (one: Statement) =>
    one.actions.includes(action) &&
    one.resources.some((pattern) => resource !== undefined && matches(pattern, resource)) &&
    Object.entries(one.conditions ?? {}).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => holds(operator, context[key], wanted)),
    );
  return attempt.actions.every((action) => {
    const found = statements.filter(fits(action));
    return found.length > 0 && found.every(({ effect }) => effect === 'Allow');
  });
}

const matches = (pattern: string, text: string): boolean =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  ).test(text);

function holds(operator: string, value: string | undefined, wanted: string | string[]): boolean {
  const isOne = value !== undefined && [wanted].flat().includes(value);
  switch (operator) {
    case 'StringEquals':
      return isOne;
    case 'StringEqualsIfExists':
      return value === undefined || isOne;
    case 'StringNotEquals':
      return !isOne;
    case 'Null':
      return String(value === undefined) === String(wanted);
    default:
      throw new Error(`No reading of the operator ${operator} here: add it.`);
  }
}
