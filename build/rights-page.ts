/** The page docs/rights.md: which function may do what, read from the statements of its policy. */
import { type AttemptName, attempts, lets } from '../lib/functions/attempts.ts';
import { functionRights, statementsOf } from '../lib/functions/rights.ts';
import type { Reach } from '../lib/functions/statements.ts';

/** The primary Region of an environment with a replica. */
const reach: Reach = {
  vaultArn: 'arn:aws:s3:::vault',
  workspaceArn: 'arn:aws:s3:::workspace',
  vaultId: 'vault',
  encryptionKeyArn: 'arn:aws:kms:a:1:key/mrk-encryption',
  signingKeyArn: 'arn:aws:kms:a:1:key/mrk-signing',
  replica: {
    vaultArn: 'arn:aws:s3:::copy',
    encryptionKeyArn: 'arn:aws:kms:b:1:key/mrk-encryption',
    signingKeyArn: 'arn:aws:kms:b:1:key/mrk-signing',
  },
  parameterArns: ['arn:aws:ssm:a:1:parameter/holdfast/*'],
  secretArns: ['arn:aws:secretsmanager:a:1:secret:shop-??????'],
  databaseArns: [],
  databaseUserArns: [],
  recordFunctionArn: 'arn:aws:lambda:a:1:function:Record',
  executionArns: ['arn:aws:states:a:1:execution:backup:*'],
};

export function rightsPage(): string {
  const groups = [...new Set(Object.values(attempts).map(({ group }) => group))];
  return `# Rights
What the role of each function lets it do in the primary Region, and what it does not. Made from \`lib/functions/rights.ts\`
by \`npm run docs\`; \`test/cloud/iam\` tries every cell with the deployed roles on an emulator that enforces policies.
Policies of the buckets and keys say so once more, whatever a role is given later: nobody deletes in a vault, an object is
written once, tiers and locks are changed and keys are used only by the roles that this page shows doing so.

"Write data" is for the keys \`backups/*/data/*\`, **of every source and every backup**, since runs make their ids when they
begin and a role is not made for each: a role that dumps may put a new object beside a kept backup. It can replace none; what
no signed manifest names is read by nobody, and is removed with what failed runs leave. Schema and manifests likewise.

${groups.map(table).join('\n')}`;
}

function table(group: string): string {
  const shown = (Object.keys(attempts) as AttemptName[]).filter(
    (name) => attempts[name].group === group,
  );
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rows = (Object.keys(functionRights) as (keyof typeof functionRights)[]).map((name) => {
    const statements = statementsOf(name, reach);
    return line([
      `\`${name}\``,
      ...shown.map((attempt) => (lets(statements, attempts[attempt], reach) ? 'yes' : '')),
    ]);
  });
  return `## ${group[0]?.toUpperCase()}${group.slice(1)}
${line(['function', ...shown.map((name) => attempts[name].title)])}
${line(['---', ...shown.map(() => '---')])}
${rows.join('\n')}
`;
}
