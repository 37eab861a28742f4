/** Findings of cdk-nag that are meant, each with its reason beside the resource that it is about. */
import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** @param rule as cdk-nag names it, with the finding in brackets where the rule has several */
export function except(construct: IConstruct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: rule, reason });
}
