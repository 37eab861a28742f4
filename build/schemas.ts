/**
 * Publishes the contract: JSON Schemas in docs/schemas/, the catalogue of errors in docs/errors.md and the rights
 * of functions in docs/rights.md.
 * With `--check`: writes nothing, and fails when what is there is not current.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  backupReportSchema,
  catalogueEntrySchema,
  evidenceRecordSchema,
  vaultMarkerSchema,
  verifyReportSchema,
} from '../core/contract/catalogue.ts';
import { environmentSchema } from '../core/contract/environment.ts';
import { manifestSchema } from '../core/contract/manifest.ts';
import { backupInputSchema } from '../core/contract/plan.ts';
import { errorsPage } from './errors-page.ts';
import { rightsPage } from './rights-page.ts';

const published = {
  'manifest-v1': manifestSchema,
  'catalogue-entry-v1': catalogueEntrySchema,
  'evidence-record-v1': evidenceRecordSchema,
  'vault-marker-v1': vaultMarkerSchema,
  environment: environmentSchema,
  'backup-input': backupInputSchema,
  'backup-report': backupReportSchema,
  'verify-report': verifyReportSchema,
} as const;

/** What has a default may be left out. */
const typedByPeople = ['backup-input', 'environment'];

const docs = join(import.meta.dirname, '../docs');
const isCheck = process.argv.includes('--check');
const stale: string[] = [];

mkdirSync(join(docs, 'schemas'), { recursive: true });
for (const [name, schema] of Object.entries(published)) {
  const io = typedByPeople.includes(name) ? 'input' : 'output';
  publish(
    `schemas/${name}.schema.json`,
    `${JSON.stringify(z.toJSONSchema(schema, { io }), null, 2)}\n`,
  );
}
publish('errors.md', errorsPage());
publish('rights.md', rightsPage());

for (const file of stale) console.error(`docs/${file} is not current: run \`npm run docs\`.`);
process.exitCode = stale.length === 0 ? 0 : 1;

function publish(name: string, text: string): void {
  const file = join(docs, name);
  if (!isCheck) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) stale.push(name);
}
