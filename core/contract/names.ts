/**
 * Physical names on AWS. Made of the environment's name, account and Region alone, so that what is in one Region can name
 * what is in the other without asking it, and a person finds everything of an environment by its name.
 *
 * Invariant: no two environments of an account share a name; none is longer than AWS allows.
 */

/** Where something is deployed. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

export const machineNames = ['backup', 'restore', 'drill'] as const;
export type MachineName = (typeof machineNames)[number];

/** @param environment 1 to 12 characters: `holdfast-123456789012-workspace-123456789012-ap-southeast-1` has 60 of 63. */
export const namesOf = (environment: string) => {
  const prefix = `holdfast-${environment}`;
  return {
    /** `Holdfast-prod-Vault-eu-central-1` */
    stack: (what: string, region: string) => `Holdfast-${environment}-${what}-${region}`,
    vaultBucket: ({ account, region }: Place) => `${prefix}-vault-${account}-${region}`,
    accessLogBucket: ({ account, region }: Place) => `${prefix}-log-${account}-${region}`,
    workspaceBucket: ({ account, region }: Place) => `${prefix}-workspace-${account}-${region}`,
    /** One vault, wherever its copies are: the id is that of the primary. */
    vaultId: ({ account, region }: Place) => `${prefix}-${account}-${region}`,
    encryptionKeyAlias: `alias/${prefix}-encryption`,
    signingKeyAlias: `alias/${prefix}-signing`,
    machine: (machine: MachineName) => `${prefix}-${machine}`,
    machineArn: (machine: MachineName, { account, region }: Place) =>
      `arn:aws:states:${region}:${account}:stateMachine:${prefix}-${machine}`,
    function: (name: string) => `${prefix}-${name}`,
    functionArn: (name: string, { account, region }: Place) =>
      `arn:aws:lambda:${region}:${account}:function:${prefix}-${name}`,
    /** Roles are global in an account: the Region is in their names. `holdfast-prod-DumpUnit-eu-central-1` */
    roleName: (holder: string, region: string) => `${prefix}-${holder}-${region}`,
    roleArn: (holder: string, { account, region }: Place) =>
      `arn:aws:iam::${account}:role/${prefix}-${holder}-${region}`,
    /**
     * Nobody has it: no stack makes it. Who must get past the locks of a vault makes a role of this name first, which
     * takes an administrator and is seen in CloudTrail.
     */
    breakGlassRole: `${prefix}-break-glass`,
    scheduleGroup: prefix,
    /** Of executions that did not succeed. */
    rule: (machine: MachineName) => `${prefix}-${machine}-failed`,
    rules: `${prefix}-*`,
    /** Of what somebody did to a key or to a vault. */
    watchRule: (what: string) => `${prefix}-${what}`,
    /** The kind comes first: no kind begins as another environment's name could go on. */
    alarm: (kind: string, source?: string) =>
      `${prefix}-${kind}${source === undefined ? '' : `-${source}`}`,
    /** Dashboards have no Region: their names say it. */
    dashboard: (region: string) => `${prefix}-${region}`,
    trail: `${prefix}-trail`,
    trailBucket: ({ account, region }: Place) => `${prefix}-trail-${account}-${region}`,
    chat: (region: string) => `${prefix}-${region}`,
    topic: `${prefix}-notices`,
    deadLetters: `${prefix}-dead-letters`,
    sourceParameter: (source: string) => `/${prefix}/sources/${source}`,
    targetParameter: (target: string) => `/${prefix}/targets/${target}`,
    parameters: `/${prefix}/*`,
  };
};
