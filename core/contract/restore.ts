/** What a restore is asked for, and what it keeps in the workspace: the run, its units, builds, findings and outcome. */
export * from './restore/report.ts';
export * from './restore/request.ts';
export * from './restore/run.ts';
export * from './restore/work.ts';
