/** Starts the emulator of AWS that all cloud test files of a run share, each with names of its own. */
import type { TestProject } from 'vitest/node';
import { startEmulator } from './emulator.ts';

declare module 'vitest' {
  interface ProvidedContext {
    cloud: {
      readonly endpoint: string;
      readonly accountId: string;
      /** For processes of the test (the CDK, the CLI); see `Emulator.env`. */
      readonly env: Readonly<Record<string, string>>;
      readonly closedRegionsFile?: string | undefined;
      readonly faultsFile?: string | undefined;
      readonly processGroup?: number | undefined;
    };
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const emulator = await startEmulator();
  const { endpoint, accountId, env } = emulator;
  project.provide('cloud', { endpoint, accountId, env });
  return async () => {
    if (project.vitest.state.getCountOfFailedTests() > 0) {
      console.error(`The log of the emulator ends with:\n${emulator.logTail(60)}`);
    }
    await emulator.stop();
  };
}
