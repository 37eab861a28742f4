/** Functions that are no state of a machine; each has a file of its name in lambdas/, as states have. */
export const extraFunctions = ['Record', 'Sentinel', 'CleanUp'] as const;
export type ExtraFunction = (typeof extraFunctions)[number];
