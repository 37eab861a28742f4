/**
 * Every name in Retry and Catch is one that happens: a test has seen it thrown, on the local engine or on the emulator
 * (thrown-names.ts). Those whose cause only AWS can bring about are compared with its documents; docs/fidelity.md lists them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorCatalogue } from '../../core/contract/errors.ts';
import { documented, isOfAws } from './aws-names.ts';
import { definitions, type JsonObject, statesOf } from './definition.ts';
import { asked, thrownIn } from './thrown-names.ts';

const names = new Set(
  definitions().flatMap(({ machine }) =>
    [...statesOf(machine)].flatMap(({ state }) =>
      ['Retry', 'Catch'].flatMap((kind) =>
        ((state[kind] ?? []) as JsonObject[]).flatMap((rule) => rule.ErrorEquals as string[]),
      ),
    ),
  ),
);
const textOf = (file: string) => readFileSync(join(import.meta.dirname, '../..', file), 'utf8');

describe('names in Retry and Catch', () => {
  test('are each thrown in a test; no other name is listed', () => {
    const thrown = new Set(Object.values(thrownIn).flat());
    expect([...thrown].toSorted()).toEqual([...names].toSorted());
  });

  test('are of the catalogue, or are spelt as AWS writes them', () => {
    const ofAws = Object.values(documented).flat();
    for (const name of names) {
      if (isOfAws(name)) expect(ofAws).toContain(name);
      else expect(Object.keys(errorCatalogue)).toContain(name);
    }
  });

  // What the file has seen is compared at its own end; a file that does not collect would promise for nothing.
  test.each(Object.keys(thrownIn))('%s collects what it sees', (file) => {
    expect(textOf(file)).toMatch(
      /^const saw = collectThrown\(import\.meta\.filename(, isOurs)?\);$/m,
    );
  });

  test('that the emulator is asked to say are said in one file, and named as such in docs/fidelity.md', () => {
    const told = textOf('docs/fidelity.md');
    for (const name of Object.keys(asked)) {
      expect(Object.entries(thrownIn).filter(([, all]) => all.includes(name))).toEqual([
        ['test/cloud/deployed/failures.test.ts', expect.anything()],
      ]);
      expect(told).toContain(`\`${name}\``);
    }
  });
});
