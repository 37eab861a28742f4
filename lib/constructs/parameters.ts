/**
 * What the functions read of sources and targets, as parameters. Nothing of schedules is in them, so that a changed
 * schedule changes nothing but itself.
 */
import { ParameterTier, StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { sourceParameterSchema, targetParameterSchema } from '../../core/contract/environment.ts';
import { namesOf } from '../../core/contract/names.ts';
import type { RegionProps } from '../functions/region.ts';

/** Of an advanced parameter; a standard one has 4 KB. */
const maxBytes = 8_192;

export class Parameters extends Construct {
  constructor(scope: Construct, id: string, { environment, isPrimary }: RegionProps) {
    super(scope, id);
    const names = namesOf(environment.name);
    for (const { schedules, drill, ...source } of environment.sources) {
      const value = sourceParameterSchema.parse({ ...source, lockMode: environment.lock.mode });
      this.#put('Source', source.name, names.sourceParameter(source.name), value);
    }
    const here = isPrimary ? 'primary' : 'replica';
    for (const { region, ...target } of environment.targets.filter((one) => one.region === here)) {
      const value = targetParameterSchema.parse(target);
      this.#put('Target', target.name, names.targetParameter(target.name), value);
    }
  }

  /** @throws Error, at synth, for what does not fit */
  #put(kind: 'Source' | 'Target', name: string, parameterName: string, value: unknown): void {
    const stringValue = JSON.stringify(value);
    const bytes = Buffer.byteLength(stringValue);
    if (bytes > maxBytes) {
      throw new Error(
        `${kind.toLowerCase()} ${name}: its filters and connection are ${bytes} bytes as a parameter; allowed are ${maxBytes}. Name schemas instead of tables, or use patterns.`,
      );
    }
    new StringParameter(this, `${kind}-${name}`, {
      parameterName,
      stringValue,
      description: `Holdfast: ${kind.toLowerCase()} ${name}`,
      // Up to 4 KB a standard parameter. What was advanced once can be no standard one again, and stays what it is.
      tier: ParameterTier.INTELLIGENT_TIERING,
    });
  }
}
