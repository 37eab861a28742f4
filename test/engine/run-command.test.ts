import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { runCommand } from '../../local/engine/run-command.ts';

describe('a command of the user', () => {
  it('tells its exit code and what it printed to both streams', async () => {
    expect(await runCommand('echo out; echo err >&2; exit 3', {})).toEqual({
      exitCode: 3,
      output: expect.stringMatching(/^(out\nerr|err\nout)\n$/),
    });
  });

  it('gets what it is given and what a shell needs, and nothing else of ours', async () => {
    process.env.HOLDFAST_TEST_SECRET = 'ours';
    try {
      const { output } = await runCommand('env', { PGDATABASE: 'shop' });
      expect(output).toMatch(/^PGDATABASE=shop$/m);
      expect(output).toMatch(/^PATH=/m);
      expect(output).not.toContain('HOLDFAST_TEST_SECRET');
    } finally {
      delete process.env.HOLDFAST_TEST_SECRET;
    }
  });

  it('prints no password, whatever it looks like', async () => {
    const environment = {
      PGPASSWORD: 'pa$$ "word',
      DATABASE_URL: 'postgresql://me:pa%24%24@db1:5432/shop',
    };
    const { output } = await runCommand('echo "$PGPASSWORD and $DATABASE_URL"', environment);
    expect(output).toBe('**** and ****\n');
  });

  it('keeps 64 KB of what it prints, and lets it print on', async () => {
    const { output, exitCode } = await runCommand('head -c 1000000 /dev/zero | tr "\\0" x', {});
    expect(exitCode).toBe(0);
    expect(output).toHaveLength(64 << 10);
  });

  it('is ended with all it has started when it takes too long', async () => {
    const { output, exitCode } = await runCommand(
      'sleep 600 & echo $!; sleep 600',
      {},
      { timeoutMs: 2_000 },
    );
    expect(exitCode).toBe(143);
    expect(output).toContain('ended after 2 s');
    expect(Number.parseInt(output, 10)).toBeGreaterThan(0);
    expect(isThere(Number.parseInt(output, 10))).toBe(false);
  });

  it('may clean up before it ends, and has 5 s for it', async () => {
    // Enough for a shell to begin and to say what it does with TERM.
    const timeoutMs = 3_000;
    const obeys = await runCommand(
      'trap "echo bye; exit 9" TERM; sleep 600 & wait',
      {},
      { timeoutMs },
    );
    expect(obeys).toEqual({ exitCode: 9, output: 'bye\n\n(ended after 3 s)' });
    const from = Date.now();
    const deaf = '(trap "" TERM; exec sleep 600) >/dev/null 2>&1 & echo $!; exec sleep 600';
    const { output } = await runCommand(deaf, {}, { timeoutMs });
    expect(Date.now() - from).toBeGreaterThan(timeoutMs + 4_900);
    await expect.poll(() => isThere(Number.parseInt(output, 10)), { timeout: 30_000 }).toBe(false);
  });

  it('is ended when its run is interrupted, and not begun when that was before', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 2_000);
    const { signal } = controller;
    const { output, exitCode } = await runCommand('echo $$; sleep 600', {}, { signal });
    expect(exitCode).toBe(143);
    expect(output).toContain('the run was interrupted');
    expect(Number.parseInt(output, 10)).toBeGreaterThan(0);
    expect(isThere(Number.parseInt(output, 10))).toBe(false);
    await expect(runCommand('true', {}, { signal })).rejects.toThrow(/abort/);
  });
});

describe('a process that ends', () => {
  it('ends the commands that it has started', async () => {
    const module = new URL('../../local/engine/run-command.ts', import.meta.url).href;
    const program = `
      const { existsSync } = await import('node:fs');
      const { runCommand } = await import(${JSON.stringify(module)});
      const PIDFILE = process.argv[1];
      void runCommand('sleep 600 & echo $! > "$PIDFILE.new"; mv "$PIDFILE.new" "$PIDFILE"; wait', { PIDFILE });
      setInterval(() => existsSync(PIDFILE) && process.exit(1), 20);`;
    const file = join(mkdtempSync(join(tmpdir(), 'holdfast-ends-')), 'pid');
    const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', program, file]);
    expect(status).toBe(1);
    const pid = Number(readFileSync(file, 'utf8'));
    expect(pid).toBeGreaterThan(0);
    await expect.poll(() => isThere(pid), { timeout: 30_000 }).toBe(false);
    rmSync(dirname(file), { recursive: true });
  });
});

describe('a command of the user whose server wants certificates', () => {
  const tls = {
    sslMode: 'verify-full',
    tls: { ca: 'the ca', cert: 'the cert', key: 'the key' },
  } as const;
  const names = ['PGSSLROOTCERT', 'PGSSLCERT', 'PGSSLKEY'];

  it('finds them in private files, which are gone afterwards', async () => {
    const show = names
      .map((name) => `cat "$${name}"; echo; stat -c "%a $${name}" "$${name}"; `)
      .join('');
    const { output } = await runCommand(`${show} stat -c %a "$(dirname "$PGSSLKEY")"`, {}, { tls });
    const lines = output.trim().split('\n');
    const [first, second, third] = [lines[1], lines[3], lines[5]].map(
      (line) => line?.slice(4) ?? '',
    );
    expect(lines).toEqual([
      ...['the ca', `600 ${first}`, 'the cert', `600 ${second}`, 'the key', `600 ${third}`],
      '700',
    ]);
    for (const path of [first, second, third]) expect(existsSync(String(path))).toBe(false);
    expect(existsSync(dirname(String(first)))).toBe(false);
  });

  it('loses them also when it is ended, and when it cannot be started', async () => {
    // A folder of its own: other tests make and remove theirs meanwhile.
    const own = mkdtempSync(join(tmpdir(), 'holdfast-lost-'));
    vi.stubEnv('TMPDIR', own);
    try {
      const { output } = await runCommand(
        'echo "$PGSSLKEY"; sleep 600',
        {},
        { tls, timeoutMs: 3_000 },
      );
      expect(output).toContain(join(own, 'holdfast-tls-'));
      await expect(runCommand('\0', {}, { tls })).rejects.toThrow();
      expect(readdirSync(own)).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
      rmSync(own, { recursive: true });
    }
  });

  it('has them in its DATABASE_URL, which it does not print', async () => {
    const given = { DATABASE_URL: 'postgresql://me@db1:5432/shop?sslmode=verify-full' };
    const seen = await runCommand(
      'case "$DATABASE_URL" in *"&sslrootcert="*sslkey=*) exit 7;; esac',
      given,
      { tls },
    );
    expect(seen.exitCode).toBe(7);
    expect((await runCommand('echo "$DATABASE_URL"', given, { tls })).output).toBe('****\n');
  });

  it('trusts what the system trusts without a file, and gets nothing without TLS', async () => {
    const show = names.map((name) => `echo "$${name}"`).join(';');
    const bare = { sslMode: 'verify-full', tls: {} } as const;
    expect((await runCommand(show, {}, { tls: bare })).output).toBe('system\n\n\n');
    const none = { ...tls, sslMode: 'disable' } as const;
    expect((await runCommand(show, {}, { tls: none })).output).toBe('\n\n\n');
  });
});

/** A zombie that nobody waits for has ended. */
function isThere(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
