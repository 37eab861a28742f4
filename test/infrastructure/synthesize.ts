/** An environment's stacks as templates, without the CLI, the functions' bundle or any account. */
import { type App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { Environment } from '../../core/contract/environment.ts';
import { buildApp } from '../../lib/app.ts';
import { loadEnvironment } from '../../lib/environment.ts';
import { bundle, newApp } from './assembly.ts';

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export interface Synthesized {
  readonly app: App;
  /** By the stack's name. */
  readonly stacks: ReadonlyMap<string, Stack>;
  template(stack: string): Template;
}

export function synthesize(environment: Environment): Synthesized {
  const app = newApp();
  buildApp(app, environment, { bundle });
  const stacks = new Map(
    app.node.children.filter(Stack.isStack).map((stack) => [stack.stackName, stack]),
  );
  const templates = new Map<string, Template>();
  return {
    app,
    stacks,
    template(name) {
      const known = templates.get(name);
      if (known !== undefined) return known;
      const stack = stacks.get(name);
      if (stack === undefined)
        throw new Error(`${name}: there are ${[...stacks.keys()].join(', ')}`);
      const template = Template.fromStack(stack);
      templates.set(name, template);
      return template;
    },
  };
}

export const environmentOf = (name: string): Environment => loadEnvironment(name);

/** All resources of a type, with the stack and the logical id that each has. */
export function resourcesOf(
  { stacks, template }: Synthesized,
  ...types: readonly string[]
): { stack: string; id: string; resource: Resource }[] {
  return [...stacks.keys()].flatMap((stack) =>
    Object.entries(template(stack).toJSON()['Resources'] as Record<string, Resource>)
      .filter(([, { Type }]) => types.includes(Type))
      .map(([id, resource]) => ({ stack, id, resource })),
  );
}
