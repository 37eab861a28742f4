/** As for the tests of the deployment, on an emulator that enforces policies. */
import type { TestProject } from 'vitest/node';
import { setUp } from '../deployed/setup.ts';

export default (project: TestProject) => setUp(project, { iam: true });
