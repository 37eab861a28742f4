/** A check over what the APIs told: a pure function. What it throws from the catalogue is a finding. */
import { type Check, type Finding, runCheck } from '../../core/doctor/check.ts';
import type { RdsFacts } from './rds-facts.ts';

export interface RdsCheck {
  /** Stable, kebab-case, begins with `rds-`. */
  readonly id: string;
  readonly title: string;
  look(facts: RdsFacts): Finding;
}

export const runRdsCheck = ({ id, title, look }: RdsCheck, facts: RdsFacts): Promise<Check> =>
  runCheck({ id, title, look: async () => look(facts) }, facts);
