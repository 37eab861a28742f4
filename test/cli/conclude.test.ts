/** The end of an execution that failed, from the two strings that Step Functions keeps of it. */
import type { SFNClient } from '@aws-sdk/client-sfn';
import { afterEach, expect, test, vi } from 'vitest';
import { conclude } from '../../cli/aws/conclude.ts';
import { describeRecovery } from '../../cli/output/describe-recovery.ts';
import { renderError } from '../../cli/output/errors.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import { causeOf, failureOf } from '../../core/run/failure.ts';
import { sampleReport } from '../report/sample-report.ts';

const execution = {
  environment: 'prod',
  place: { account: '123456789012', region: 'eu-central-1' },
  machine: 'restore',
  name: 'rescue-1',
} as const;

const items = [
  { check: 'server-reachable', verdict: 'ok', message: 'It can be reached.' },
  { check: 'name-free', verdict: 'failed', message: 'There is one.', hint: 'Choose another.' },
  { check: 'sessions', verdict: 'failed', message: 'Two are there.', hint: 'Say --disconnect.' },
] as const;

afterEach(() => vi.restoreAllMocks());

async function concluded(evidence: Record<string, unknown>) {
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  const failure = failureOf(new HoldfastError('PreflightFailedError', 'name-free', { evidence }));
  const ended = {
    ...{ status: 'FAILED' as const, startedAt: new Date(), error: failure.error },
    ...{ cause: causeOf(failure), stoppedAt: new Date(), output: undefined },
  };
  const options = { json: false };
  const error: unknown = await conclude({} as SFNClient, execution, ended, options, () => {}).catch(
    (thrown: unknown) => thrown,
  );
  return { stderr: written.join(''), rendered: renderError(error) };
}

test('of a restore that preflight refused the whole list is shown, each with its cure, and where the report is', async () => {
  const { stderr, rendered } = await concluded({ items });
  expect(stderr.split('\n')).toEqual([
    'ok       server-reachable: It can be reached.',
    'FAILED   name-free: There is one.',
    '         What to do: Choose another.',
    'FAILED   sessions: Two are there.',
    '         What to do: Say --disconnect.',
    '',
  ]);
  const page =
    's3://holdfast-prod-workspace-123456789012-eu-central-1/restores/rescue-1/report.html';
  expect(rendered.text).toContain(`Report: ${page}`);
  expect(rendered.json).toMatchObject({ runId: 'rescue-1', report: page, preflight: items });
});

test('a list that was too long for Step Functions is in the report, and that is said', async () => {
  const long = Array.from({ length: 200 }, () => ({ ...items[1], message: 'x'.repeat(100) }));
  const { stderr, rendered } = await concluded({ items: long });
  expect(stderr).toBe('');
  expect(rendered.text).toContain('The list: holdfast --env prod report rescue-1');
  expect(rendered.json).not.toHaveProperty('preflight');
});

test('the report of a drill that was refused lists what has to be mended', () => {
  const error = { name: 'PreflightFailedError', message: 'name-free', hint: 'Mend the list.' };
  const told = describeRecovery(
    sampleReport({ kind: 'drill', state: 'failed', error, preflight: [...items] }),
  );
  expect(told).toContain(
    '  FAILED   name-free: There is one.\n           What to do: Choose another.',
  );
  expect(told).not.toContain('server-reachable');
});
