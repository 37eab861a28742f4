/** The README on a real server, and what it says of npm: commands of the repository itself, which CI runs as they stand there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { startServer } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { executedDocuments, readBlocks, root, sectionsOn, withValues } from './document.ts';
import { openShell } from './shell.ts';
import { contentOf, fillShop } from './shop.ts';

vi.setConfig({ testTimeout: 600_000 });

const folders = temporaryFolders();
let server: EmbeddedServer;

beforeAll(async () => {
  server = await startServer();
  await fillShop(server);
});
afterAll(() => server?.stop());

test('using it: every command, in its order, on an empty folder', async () => {
  const folder = await folders();
  const shell = await openShell({ folder, env: { HOME: folder } });
  const sections = sectionsOn('README.md', 'machine');
  expect([...sections.keys()]).toEqual(['Using it']);
  const [valuesBlock, ...blocks] = sections.get('Using it') ?? [];
  if (valuesBlock === undefined) throw new Error('The README sets no values');
  const values = { DATABASE_URL: server.url('shop'), RESTORE_DATABASE_URL: server.url() };
  await shell.run(withValues(valuesBlock, values));
  for (const block of blocks) await shell.run(block);
  expect(await contentOf(server, 'shop_copy')).toEqual(await contentOf(server, 'shop'));
});

test('its npm commands are steps of CI', () => {
  const ci = readFileSync(join(root, '.ci/run'), 'utf8');
  const [first] = readBlocks('README.md');
  const commands = (first?.text ?? '')
    .split('\n')
    .flatMap((line) => line.replace(/\s*#.*/, '').split(' && '));
  expect(commands).toContain('npm run demo');
  // What fails of the tests runs once more: their step is a function, which runs the README's command first.
  const [, tests = ''] = /^all_tests\(\) \{\n.*\n {2}(npm test) 2>&1/m.exec(ci) ?? [];
  const steps = ci.replace(/^step 'tests' leaving_nothing all_tests$/m, `step 'tests' ${tests}`);
  for (const command of commands) {
    const step = command.replace(/^npm run /, 'npm run (-s )?');
    expect(steps, command).toMatch(new RegExp(`^step '[^']*' (env -u \\w+ )?${step}$`, 'm'));
  }
});

test('executed documents have no command that is not marked as one', () => {
  for (const document of executedDocuments) {
    for (const { place, language, text } of readBlocks(document)) {
      expect(['bash', 'sql', 'text', 'mermaid'], place).toContain(language);
      if (language !== 'text' || document === 'README.md') continue;
      expect(text, `${place} is not executed`).not.toMatch(/^(npx |holdfast |aws |export )/m);
    }
  }
});
