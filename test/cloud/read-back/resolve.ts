/**
 * What a template says, once its references are replaced by what CloudFormation made of them.
 *
 * Invariant: a reference that cannot be resolved is `unknown`, which the comparison counts and names; nothing is guessed.
 */

export interface Made {
  readonly type: string;
  readonly physicalId: string;
}

/** One deployed stack, as CloudFormation's API tells of it. */
export interface Deployed {
  readonly stackName: string;
  readonly stackId: string;
  readonly region: string;
  readonly account: string;
  readonly template: Template;
  /** By logical id. */
  readonly made: ReadonlyMap<string, Made>;
  /** Exports of this Region, by name. */
  readonly exports: ReadonlyMap<string, string>;
  /** Outputs of all stacks, by `region/stack/output`. */
  readonly outputs: ReadonlyMap<string, string>;
}

export interface Template {
  readonly Parameters?: Readonly<Record<string, { readonly Default?: unknown }>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<
    Record<
      string,
      {
        readonly Type: string;
        readonly Condition?: string;
        readonly Properties?: Readonly<Record<string, unknown>>;
      }
    >
  >;
}

/** Stands for a value that only CloudFormation knows: the attribute of a custom resource. */
export const unknown = Symbol('unknown');

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @returns the same value with no intrinsic function in it; `unknown` in the place of what cannot be known */
export function resolve(value: unknown, stack: Deployed): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => resolve(item, stack)).filter((item) => item !== noValue);
  }
  if (!isObject(value)) return value;
  const [name, argument] = Object.entries(value)[0] ?? [];
  if (Object.keys(value).length === 1 && name !== undefined && Object.hasOwn(functions, name)) {
    return functions[name]?.(argument, stack);
  }
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, resolve(item, stack)] as const)
      .filter(([, item]) => item !== noValue),
  );
}

const noValue = Symbol('AWS::NoValue');

const functions: Readonly<Record<string, (argument: unknown, stack: Deployed) => unknown>> = {
  Ref: (name, stack) => referenceTo(String(name), stack),
  'Fn::GetAtt': (argument, stack) => {
    const [id, attribute] = Array.isArray(argument)
      ? (argument as string[])
      : String(argument).split('.');
    return attributeOf(String(id), String(attribute), stack);
  },
  'Fn::Join': (argument, stack) => {
    const [glue, list] = argument as [string, unknown];
    const parts = resolve(list, stack);
    return Array.isArray(parts) && parts.every((part) => typeof part === 'string')
      ? parts.join(glue)
      : unknown;
  },
  'Fn::Split': (argument, stack) => {
    const [glue, text] = argument as [string, unknown];
    const whole = resolve(text, stack);
    return typeof whole === 'string' ? whole.split(glue) : unknown;
  },
  'Fn::Select': (argument, stack) => {
    const [index, list] = argument as [string | number, unknown];
    const items = resolve(list, stack);
    return Array.isArray(items) ? items[Number(index)] : unknown;
  },
  'Fn::Sub': (argument, stack) => {
    const [text, names] = Array.isArray(argument)
      ? (argument as [string, Record<string, unknown>])
      : [String(argument), {}];
    let isKnown = true;
    const filled = text.replaceAll(/\$\{([^!}]+)\}/g, (_, name: string) => {
      const found = Object.hasOwn(names, name)
        ? resolve(names[name], stack)
        : name.includes('.')
          ? attributeOf(...(name.split('.', 2) as [string, string]), stack)
          : referenceTo(name, stack);
      if (typeof found !== 'string') isKnown = false;
      return String(found);
    });
    return isKnown ? filled : unknown;
  },
  'Fn::GetStackOutput': (argument, stack) => {
    const { StackName, OutputName, Region } = resolve(argument, stack) as Record<string, string>;
    return stack.outputs.get(`${Region ?? stack.region}/${StackName}/${OutputName}`) ?? unknown;
  },
  'Fn::ImportValue': (name, stack) => {
    const exported = resolve(name, stack);
    return typeof exported === 'string' ? (stack.exports.get(exported) ?? unknown) : unknown;
  },
};

function referenceTo(name: string, stack: Deployed): unknown {
  const pseudo: Readonly<Record<string, unknown>> = {
    'AWS::AccountId': stack.account,
    'AWS::Region': stack.region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stack.stackName,
    'AWS::StackId': stack.stackId,
    'AWS::NoValue': noValue,
  };
  if (Object.hasOwn(pseudo, name)) return pseudo[name];
  const made = stack.made.get(name);
  if (made !== undefined) return made.physicalId;
  const parameter = stack.template.Parameters?.[name]?.Default;
  return parameter ?? unknown;
}

/** Attributes that follow from the physical id by the documented form of the ARN. */
function attributeOf(id: string, attribute: string, stack: Deployed): unknown {
  const made = stack.made.get(id);
  if (made === undefined) return unknown;
  const { account, region } = stack;
  const { physicalId } = made;
  const arns: Readonly<Record<string, string>> = {
    'AWS::S3::Bucket': `arn:aws:s3:::${physicalId}`,
    'AWS::IAM::Role': `arn:aws:iam::${account}:role/${physicalId}`,
    'AWS::Lambda::Function': `arn:aws:lambda:${region}:${account}:function:${physicalId}`,
    'AWS::KMS::Key': `arn:aws:kms:${region}:${account}:key/${physicalId}`,
    'AWS::KMS::ReplicaKey': `arn:aws:kms:${region}:${account}:key/${physicalId}`,
    'AWS::Logs::LogGroup': `arn:aws:logs:${region}:${account}:log-group:${physicalId}:*`,
    'AWS::Scheduler::ScheduleGroup': `arn:aws:scheduler:${region}:${account}:schedule-group/${physicalId}`,
    'AWS::SQS::Queue': `arn:aws:sqs:${region}:${account}:${physicalId.split('/').at(-1)}`,
    'AWS::CloudWatch::Alarm': `arn:aws:cloudwatch:${region}:${account}:alarm:${physicalId}`,
    'AWS::Events::Rule': physicalId.startsWith('arn:')
      ? physicalId
      : `arn:aws:events:${region}:${account}:rule/${physicalId}`,
  };
  if (attribute === 'Arn') {
    return physicalId.startsWith('arn:') ? physicalId : (arns[made.type] ?? unknown);
  }
  if (attribute === 'TopicArn') return physicalId;
  if (attribute === 'KeyId') return physicalId;
  if (attribute === 'QueueName') return physicalId.split('/').at(-1);
  if (attribute === 'QueueUrl') return physicalId;
  if (made.type === 'AWS::StepFunctions::StateMachine' && attribute === 'Name') {
    return physicalId.split(':').at(-1);
  }
  return unknown;
}
