import { expect, inject, test } from 'vitest';
import { isOurs, onlyOurs } from '../own-emulator.ts';
import { describeFinding } from '../read-back/gate.ts';
import { knownDropOf, knownDrops } from '../read-back/known-drops.ts';
import { readBackAgain } from './deploy.ts';
import { base } from './harness.ts';

test('everything in the templates is there, but for what the emulator is known to drop', () => {
  const { findings, resources, leaves } = inject('deployed');
  const unexpected = findings.filter((finding) => knownDropOf(finding) === undefined);
  expect(unexpected.map(describeFinding)).toEqual([]);
  // Two Regions, some thirty functions each with role, policy and log group.
  expect(resources).toBeGreaterThan(200);
  expect(leaves).toBeGreaterThan(3_000);
});

test.skipIf(!isOurs)(
  `each line about what the emulator drops is needed${onlyOurs('another one may drop less')}`,
  () => {
    const { findings } = inject('deployed');
    const dropped = new Set(findings.map(({ type, property }) => `${type} ${property}`));
    const notNeeded = knownDrops.filter(
      ({ type, property }) => !dropped.has(`${type} ${property}`),
    );
    expect(notNeeded.map(({ type, property }) => `${type} ${property}`)).toEqual([]);
  },
);

test('what was dropped and can be put in place is in place', async () => {
  const left = await readBackAgain(base());
  const missing = left.filter((finding) => knownDropOf(finding)?.put !== undefined);
  expect(missing.map(describeFinding)).toEqual([]);
});
