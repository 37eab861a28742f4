/** State Build: one index, constraint, refresh … that goes on without us. */
import { runBuild } from '../core/restore/build.ts';
import { handleState } from './handle-state.ts';

export const makeHandler = handleState('Build', runBuild);
