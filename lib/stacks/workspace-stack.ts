/** The workspace of the functions of one Region, in the first account: apart from vaults, which may be in another. */
import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Environment } from '../../core/contract/environment.ts';
import { namesOf, type Place } from '../../core/contract/names.ts';
import { WorkspaceBucket } from '../constructs/workspace-bucket.ts';

export interface WorkspaceStackProps extends StackProps {
  readonly environment: Environment;
  readonly place: Place;
}

export class WorkspaceStack extends Stack {
  constructor(scope: Construct, id: string, { environment, place, ...props }: WorkspaceStackProps) {
    super(scope, id, {
      ...props,
      env: place,
      terminationProtection: true,
      description: `Holdfast ${environment.name}: workspace of runs`,
    });
    new WorkspaceBucket(this, 'Workspace', namesOf(environment.name).workspaceBucket(place));
  }
}
