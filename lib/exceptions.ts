/** Findings of the template checkers that are meant, each with its reason beside the resource that it is about. */
import { CfnResource, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** @param rule of cdk-nag as it names it, with the finding in brackets where the rule has several */
export function except(construct: IConstruct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: rule, reason });
}

/** @param rules of checkov, which reads them in the template (build/lint-templates.sh) */
export function exceptInTemplate(
  construct: IConstruct,
  rules: Readonly<Record<string, string>>,
): void {
  const resource = construct.node.defaultChild;
  if (!CfnResource.isCfnResource(resource)) {
    throw new Error(`${construct.node.path} has no resource of its own.`);
  }
  const skip = Object.entries(rules).map(([id, comment]) => ({ id, comment }));
  resource.addMetadata('checkov', { skip });
}
