/** As for the tests of the deployment, on an emulator that enforces policies. */
import type { TestProject } from 'vitest/node';
import { setUp } from '../deployed/setup.ts';
import { isOurs } from '../own-emulator.ts';
import nothingDeployed from '../setup.ts';

/** Of an emulator that runs already nobody knows what it enforces: the tests are skipped there. */
export default (project: TestProject) =>
  isOurs ? setUp(project, { iam: true }) : nothingDeployed(project);
