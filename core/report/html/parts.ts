/** The parts of a restore in words. */

const parts: Readonly<Record<string, { readonly title: string; readonly does: string }>> = {
  preflight: { title: 'Preflight', does: 'looks whether it can work, before anything is touched' },
  safetyBackup: { title: 'Safety backup', does: 'of what is going to be replaced' },
  create: { title: 'Definitions', does: 'creates the database, its types, tables and functions' },
  load: { title: 'Download and load', does: 'decrypts, authenticates and writes the rows' },
  build: {
    title: 'Indexes and constraints',
    does: 'builds them, refreshes views, gathers statistics',
  },
  compare: { title: 'Comparison', does: 'reads everything back and compares it with the backup' },
  checks: { title: 'Own checks', does: 'runs the checks that the owner of the data wrote' },
  cutover: { title: 'Cutover', does: 'puts the database in its place' },
};

export const partTitle = (part: string): string => parts[part]?.title ?? part;
export const partDoes = (part: string): string => parts[part]?.does ?? '';
