/** The CDK app: what exists on AWS, for the environment that `-c env=NAME` names. */
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { isHoldfastError } from '../core/contract/errors.ts';
import { buildApp } from '../lib/app.ts';
import { loadEnvironment } from '../lib/environment.ts';

try {
  const app = new App();
  buildApp(app, loadEnvironment(app.node.tryGetContext('env')));
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
} catch (error) {
  if (!isHoldfastError(error)) throw error;
  // What a person wrote: where in the code it was found says nothing to them.
  process.stderr.write(`${error.name}: ${error.message}\n${error.hint}\n`);
  process.exitCode = 1;
}
