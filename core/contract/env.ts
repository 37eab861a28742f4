/** Names of the environment variables that Holdfast reads itself (the PG* ones are libpq's). */
export const envNames = {
  vault: 'HOLDFAST_VAULT',
  keyFile: 'HOLDFAST_KEY_FILE',
  database: 'DATABASE_URL',
  /** Where to restore to; never the same variable as where from. */
  restoreDatabase: 'RESTORE_DATABASE_URL',
} as const;
