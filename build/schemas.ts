/**
 * Publishes the contract as JSON Schema in docs/schemas/. With `--check`: fails when what is there is not current.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  backupReportSchema,
  catalogueEntrySchema,
  evidenceRecordSchema,
  vaultMarkerSchema,
  verifyReportSchema,
} from '../core/contract/catalogue.ts';
import { manifestSchema } from '../core/contract/manifest.ts';
import { backupInputSchema } from '../core/contract/plan.ts';

const published = {
  'manifest-v1': manifestSchema,
  'catalogue-entry-v1': catalogueEntrySchema,
  'evidence-record-v1': evidenceRecordSchema,
  'vault-marker-v1': vaultMarkerSchema,
  'backup-input': backupInputSchema,
  'backup-report': backupReportSchema,
  'verify-report': verifyReportSchema,
} as const;

const folder = join(import.meta.dirname, '../docs/schemas');
const isCheck = process.argv.includes('--check');
let stale = 0;

mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries(published)) {
  const file = join(folder, `${name}.schema.json`);
  const io = name === 'backup-input' ? 'input' : 'output';
  const text = `${JSON.stringify(z.toJSONSchema(schema, { io }), null, 2)}\n`;
  if (!isCheck) writeFileSync(file, text);
  else if (readOrEmpty(file) !== text) {
    stale += 1;
    console.error(`docs/schemas/${name}.schema.json is not current: run \`npm run docs\`.`);
  }
}
process.exitCode = stale === 0 ? 0 : 1;

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
