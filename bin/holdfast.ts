/** The CDK app: what exists on AWS, per environment (`-c env=NAME`, default `dev`). */
import { App } from 'aws-cdk-lib';
import { VaultStack } from '../lib/vault-stack.ts';

const app = new App();
const environment = environmentName(app.node.tryGetContext('env') ?? 'dev');

new VaultStack(app, `Holdfast-${environment}-Vault`, { environment, terminationProtection: true });

function environmentName(value: unknown): string {
  if (typeof value === 'string' && /^[a-z][a-z0-9-]{0,19}$/.test(value)) return value;
  throw new Error(
    `-c env=${String(value)}: a name of 1 to 20 lower-case letters, digits and hyphens is allowed, beginning with a letter.`,
  );
}
