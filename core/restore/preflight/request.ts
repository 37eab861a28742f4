/** What was asked for, by itself: parts that do not go together, or that cannot be done where this runs. */
import { type BackupTarget, failed, ok, type PreflightCheck } from './check.ts';
import { estimateOf } from './estimate.ts';

export const selection: PreflightCheck<BackupTarget> = {
  check: 'selection',
  async look({ manifest, input }) {
    const { selection: chosen, mode } = input;
    const isWhole = JSON.stringify({ ...chosen, allowOrphans: false }) === wholeSelection;
    if (mode !== 'into' && !isWhole) {
      return failed(
        'Single schemas, tables or rows were chosen for a whole database.',
        'Write them into an existing database with --mode into, or leave --schema, --table and their like out.',
      );
    }
    // Patterns that match nothing are said here, by the error of the choice itself.
    estimateOf(manifest, input);
    return ok(isWhole ? 'All of the backup is restored.' : 'What was chosen is in the backup.');
  },
};

const wholeSelection = JSON.stringify({ schemas: [], tables: [], allowOrphans: false });

export const commands: PreflightCheck<BackupTarget> = {
  check: 'commands',
  async look({ deps, input }) {
    const { checks, hooks } = input;
    const wanted = [
      ...checks.flatMap((check) => ('command' in check ? [`check ${check.name}`] : [])),
      ...Object.keys(hooks),
    ];
    if (wanted.length === 0) return ok('No commands are to be run.');
    if (deps.runCommand !== undefined) return ok(`Commands to be run: ${wanted.join(', ')}.`);
    return failed(
      `Commands cannot be run here (no shell): ${wanted.join(', ')}.`,
      'Use SQL checks, or restore from a machine with a shell.',
    );
  },
};
