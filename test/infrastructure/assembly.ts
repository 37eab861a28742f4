/** Apps whose assemblies, and a bundle whose code, are gone when the tests of a file are over. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { afterAll } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-synth-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Stands for `dist/lambda`: what a bundle holds is nothing to a template. */
export const bundle = join(folder, 'bundle');
mkdirSync(bundle);
writeFileSync(join(bundle, 'dump-unit.js'), '');

/** CloudFormation's own checks of the whole app take most of the time; synth.test.ts has them. */
export const newApp = (): App =>
  new App({ outdir: mkdtempSync(join(folder, 'out-')), builtinCloudFormationValidation: false });
