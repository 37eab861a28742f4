import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HoldfastError } from '../../core/contract/errors.ts';
import { readAllEvidence } from '../../core/evidence/record.ts';
import { takeLease } from '../../core/run/lease.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import {
  collect,
  expectNoSessions,
  expectNothingLeft,
  fillShop,
  type Harness,
  makeHarness,
  requestedBy,
} from './harness.ts';

let harness: Harness;
let runId: string;
beforeEach(async () => {
  harness = await makeHarness('sealing');
  await fillShop(harness.database);
  runId = newRunId();
});
afterEach(() => harness[Symbol.asyncDispose]());

const receipt = () => `runs/${runId}/receipts/00000-0.json`;
const manifests = async () => {
  const objects = await collect(harness.deps.vault.list('backups/'));
  return objects.map(({ key }) => key).filter((key) => key.endsWith('manifest.json'));
};

describe('a backup is not sealed', () => {
  it('when a unit left no receipt', async () => {
    const result = harness.runHere(async (state, _input, call) => {
      if (state === 'Seal') await harness.deps.workspace.delete(receipt());
      return call();
    }, runId);
    await expect(result).rejects.toMatchObject({
      name: 'IncompleteBackupError',
      message: expect.stringContaining('unit 0 part 0'),
    });
    expect(await manifests()).toEqual([]);
    await expectNothingLeft(harness, runId, 'IncompleteBackupError');
  });

  it('when another run took the lease over meanwhile', async () => {
    const result = harness.runHere(async (state, _input, call) => {
      if (state === 'Seal') {
        const later = {
          workspace: harness.deps.workspace,
          now: () => new Date(Date.now() + 3_600_000),
        };
        await takeLease(later, {
          source: 'shop',
          runId: 'thief',
          leaseSeconds: 60,
          heldBy: requestedBy,
        });
      }
      return call();
    }, runId);
    await expect(result).rejects.toMatchObject({
      name: 'LeaseHeldError',
      message: expect.stringContaining('thief'),
    });
    expect(await manifests()).toEqual([]);
    expect(await harness.catalogue()).toEqual([]);
  });
});

describe('a backup is not published', () => {
  it('when an object was damaged before it was read back', async () => {
    const result = harness.runHere(async (state, input, call) => {
      if (state === 'VerifyUnit') {
        const { object } = input as { object: number };
        const [manifest] = await manifests();
        const { objects } = JSON.parse(
          await readFile(join(harness.vaultDirectory, manifest as string), 'utf8'),
        );
        if (object === objects.length - 1) await flipByte(objects[object].key);
      }
      return call();
    }, runId);
    await expect(result).rejects.toMatchObject({
      name: 'BackupDamagedError',
      message: expect.stringMatching(/1 of \d+ objects/),
    });
    expect(await manifests()).toHaveLength(1);
    await expectNothingLeft(harness, runId, 'BackupDamagedError');
  });

  it('when its manifest was changed', async () => {
    const result = harness.runHere(async (state, _input, call) => {
      if (state === 'Publish') await flipByte((await manifests())[0] as string);
      return call();
    }, runId);
    await expect(result).rejects.toMatchObject({ name: 'SignatureInvalidError' });
    await expectNothingLeft(harness, runId, 'SignatureInvalidError');
  });
});

describe('a run in which every state is lost once after its work was done', () => {
  it('tries each again and leaves one backup, one entry, one record of each kind', async () => {
    const lost = new Set<string>();
    const report = await harness.runHere(async (state, _input, call) => {
      const output = await call();
      if (lost.has(state)) return output;
      lost.add(state);
      throw new HoldfastError('WorkerLostError', 'The worker died after its work.');
    }, runId);
    expect([...lost].sort()).toEqual(
      [
        ...['Plan', 'HoldSnapshot', 'DumpSchema', 'PlanUnits', 'WatchSnapshot', 'DumpUnit'],
        ...['ReleaseSnapshot', 'Seal', 'VerifyUnit', 'Publish', 'Report'],
      ].sort(),
    );
    expect(report).toMatchObject({ state: 'published', rows: 20_003 });
    expect(await manifests()).toHaveLength(1);
    const [entry, ...more] = await harness.catalogue();
    expect(more).toEqual([]);
    const evidence = await collect(
      readAllEvidence(harness.deps, 'shop', entry?.backupId as string),
    );
    expect(evidence.map(({ kind }) => kind).sort()).toEqual(['published', 'verified']);
    await expectNoSessions(harness);
  });
});

async function flipByte(key: string): Promise<void> {
  const path = join(harness.vaultDirectory, key);
  const body = await readFile(path);
  const middle = Math.floor(body.length / 2);
  body[middle] = (body[middle] as number) ^ 1;
  await writeFile(path, body);
}
