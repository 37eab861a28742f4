/** ARNs of executions of our state machines: made of names, and taken apart again. */
import { type MachineName, namesOf, type Place } from '../../core/contract/names.ts';

export interface Execution {
  readonly environment: string;
  readonly place: Place;
  readonly machine: MachineName;
  /** The id of the run. */
  readonly name: string;
}

export const executionArnOf = ({ environment, place, machine, name }: Execution): string =>
  `${namesOf(environment)
    .machineArn(machine, place)
    .replace(':stateMachine:', ':execution:')}:${name}`;

/** @returns undefined for the ARN of anything else */
export function executionOf(arn: string): Execution | undefined {
  const [, region, account, environment, machine, name] =
    /^arn:aws:states:([a-z0-9-]+):(\d{12}):execution:holdfast-([a-z][a-z0-9-]{0,11})-(backup|restore|drill):([^:]{1,80})$/.exec(
      arn,
    ) ?? [];
  if (!region || !account || !environment || !machine || !name) return undefined;
  return { environment, place: { account, region }, machine: machine as MachineName, name };
}

/** The page of the console that shows an execution with its graph and history. */
export function consoleLinkOf(execution: Execution): string {
  const { region } = execution.place;
  return `https://${region}.console.aws.amazon.com/states/home?region=${region}#/v2/executions/details/${executionArnOf(execution)}`;
}
