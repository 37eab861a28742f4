/** A transaction pooler in between: no session, no snapshot. */
import { detectPooler } from '../../postgres/pooler.ts';
import type { Session } from '../../postgres/session.ts';
import { type CheckDefinition, ok, problem } from '../check.ts';

export const pooler: CheckDefinition<Session> = {
  id: 'pooler',
  title: 'Direct connection',
  async look(session) {
    const finding = await detectPooler(session);
    if (finding === undefined) return ok('Each connection is a session of its own on the server.');
    return problem(
      `The server is reached through ${finding.pooler}: ${finding.detail}.`,
      finding.hint,
    );
  },
};
