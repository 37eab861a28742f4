import { expect, test } from 'vitest';
import { backupErrors } from '../../core/contract/errors/backup.ts';
import { keyErrors } from '../../core/contract/errors/keys.ts';
import { restoreErrors } from '../../core/contract/errors/restore.ts';
import { serverErrors } from '../../core/contract/errors/server.ts';
import { vaultErrors } from '../../core/contract/errors/vault.ts';
import { errorCatalogue } from '../../core/contract/errors.ts';

test('no subject takes the name of another one, and all are in the catalogue', () => {
  const own = ['UsageError', 'ConfigurationError', 'PatternMatchesNothingError', 'InternalError'];
  const subjects = [serverErrors, backupErrors, vaultErrors, keyErrors, restoreErrors];
  const names = [...own, ...subjects.flatMap((subject) => Object.keys(subject))];
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  expect(Object.keys(errorCatalogue).sort()).toEqual(names.sort());
});

test.each(Object.entries(errorCatalogue))('%s says what it means and what to do', (name, entry) => {
  expect(name).toMatch(/^[A-Z][A-Za-z]+Error$/);
  expect(entry.means).toMatch(/\w/);
  expect(entry.hint).toMatch(/\w.*\.$/);
});
