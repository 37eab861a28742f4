/** The backup of what is about to be replaced: whether there will be one. */
import type { Deps } from '../../contract/deps.ts';
import { isHoldfastError } from '../../contract/errors.ts';
import { sourceNameOf } from '../safety-request.ts';
import { failed, ok, type PreflightCheck, type ServerTarget, warning } from './check.ts';

export const safety: PreflightCheck<ServerTarget> = {
  check: 'safety-backup',
  modes: ['swap', 'into'],
  async look({ deps, input, names, session }) {
    const replaces = input.mode === 'swap' || input.selection.onConflict === 'replace';
    if (!replaces) return ok('Nothing that exists is replaced.');
    const name = JSON.stringify(names.finalDatabase);
    if (input.safetyBackup) {
      const source = await sourceNameOf(deps, session.settings, names.finalDatabase);
      if (await isKnown(deps, source)) {
        return ok(`A backup of ${name} as it is now is taken first.`);
      }
      return failed(
        `A backup of ${name} as it is now cannot be taken: no source of this environment is that database.`,
        'Add it to the sources of the environment and deploy; or say "safetyBackup": false when what is there now may be lost.',
      );
    }
    if (input.mode === 'swap') {
      return warning(
        `No backup of ${name} as it is now is taken; it is kept aside under another name.`,
        '`holdfast rollback` brings it back as long as it is kept.',
      );
    }
    return warning(
      `No backup of ${name} as it is now is taken.`,
      'Leave --no-safety-backup out unless what is there now may be lost.',
    );
  },
};

/** Where only sources that were deployed can be backed up; on a person's machine any database can. */
async function isKnown({ sourceOf }: Pick<Deps, 'sourceOf'>, source: string): Promise<boolean> {
  try {
    await sourceOf?.(source);
    return true;
  } catch (error) {
    if (isHoldfastError(error, 'ConnectionNotFoundError')) return false;
    throw error;
  }
}
