/** The function Record, called through its handler, on a directory vault with real signatures. */
import { beforeEach, expect, it } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { readEvidence, writeEvidence } from '../../core/evidence/record.ts';
import { makeHandler } from '../../lambdas/record.ts';
import { type SampleVault, sampleVault } from '../support/sample-backup.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folders = temporaryFolders();
let sample: SampleVault;
let record: (input: unknown) => Promise<{ key: string }>;
beforeEach(async () => {
  sample = await sampleVault(await folders());
  record = makeHandler(sample.deps as unknown as Deps);
});

const evidence = {
  kind: 'proven',
  source: 'shop',
  backupId: 'shop-20261121T042100Z-abcdef',
  by: { user: 'tester', host: 'here' },
  manifestSha256: 'a'.repeat(64),
  facts: { rows: 3 },
} as const;

it('signs and writes what it is asked for', async () => {
  const { key } = await record({ state: 'ConcludeDrill', evidence });
  expect(key).toMatch(/^evidence\/shop\/shop-20261121T042100Z-abcdef\/.*-proven\.json$/);
  expect(await readEvidence(sample.deps, key)).toMatchObject(evidence);
});

it.each([
  ['LoadUnit', 'proven'],
  ['ConcludeDrill', 'verified'],
  ['Publish', 'proven'],
  ['nobody', 'damaged'],
])('refuses %s a record "%s" and writes nothing', async (state, kind) => {
  await expect(record({ state, evidence: { ...evidence, kind } })).rejects.toMatchObject({
    name: 'ConfigurationError',
    message: expect.stringContaining(`${state} asks for a record "${kind}"`),
  });
  for await (const { key } of sample.vault.list('evidence/')) expect(key).toBeUndefined();
});

it.each([
  ['source', 'a/b'],
  ['backupId', '../catalog/x'],
  ['backupId', 'orders-20261121T042100Z-abcdef'],
  ['kind', 'excellent'],
  ['at', '2020-01-01T00:00:00Z'],
])('refuses %s %j', async (field, value) => {
  const input = { state: 'ConcludeDrill', evidence: { ...evidence, [field]: value } };
  await expect(record(input)).rejects.toMatchObject({ name: 'ConfigurationError' });
});

it('is what writes evidence for whoever may not sign', async () => {
  const keyRing = {
    ...sample.keyRing,
    sign: async () => Promise.reject(new Error('kms:Sign was denied')),
  };
  const deps = { ...sample.deps, keyRing };
  await expect(writeEvidence(deps, evidence)).rejects.toThrow('kms:Sign');
  const asked = async (input: object) =>
    (await record({ state: 'ConcludeDrill', evidence: input })).key;
  const key = await writeEvidence({ ...deps, record: asked }, evidence);
  expect(await readEvidence(deps, key)).toMatchObject({ kind: 'proven' });
});
