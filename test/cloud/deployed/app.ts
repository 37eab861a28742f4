/** The CDK app of bin/holdfast.ts over a folder of environments that a test has made: `-c env=NAME -c environments=DIR`. */
import { App } from 'aws-cdk-lib';
import { buildApp } from '../../../lib/app.ts';
import { loadEnvironment } from '../../../lib/environment.ts';

const app = new App();
buildApp(
  app,
  loadEnvironment(app.node.tryGetContext('env'), String(app.node.tryGetContext('environments'))),
);
