import { describe, expect, it } from 'vitest';
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
    const { output, exitCode } = await runCommand('sleep 600 & sleep 600', {}, 100);
    expect(exitCode).toBe(137);
    expect(output).toContain('ended after 0.1 s');
  });
});
