/** Starts the PostgreSQL 18 that all test files of a run share, each in databases of its own. */
import type { TestProject } from 'vitest/node';
import { startEmbeddedServer } from '../../local/embedded-server.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startEmbeddedServer({
    settings: ['max_connections=200', 'shared_buffers=256MB', 'max_locks_per_transaction=256'],
  });
  project.provide('postgres', { port: server.port, password: server.password });
  return () => server.stop();
}
