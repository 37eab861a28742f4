/** What a drill keeps in the workspace: which backup it is about, and where it is restored to. Written once by PlanDrill. */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { drillInputSchema } from '../contract/restore.ts';
import { scratchSuffix } from '../report/list-reports.ts';
import { readFact, writeFact } from '../restore/restore-run.ts';

export const drillRecordSchema = z.strictObject({
  runId: z.string(),
  request: drillInputSchema,
  startedAt: z.iso.datetime(),
  backup: z.strictObject({
    source: z.string(),
    backupId: z.string(),
    database: z.string(),
    snapshotAt: z.iso.datetime(),
    /** Null: the manifest cannot be trusted, which is the end of the drill. */
    manifestSha256: z.string().nullable(),
  }),
  /** Name of the scratch database. */
  scratch: z.string(),
});
export type DrillRecord = z.infer<typeof drillRecordSchema>;

const fact = 'drill';

export const readDrill = (
  { workspace }: Pick<Deps, 'workspace'>,
  runId: string,
): Promise<DrillRecord | undefined> => readFact(workspace, runId, fact, drillRecordSchema);

/** @returns the record that counts: this one, or that of an earlier attempt */
export const writeDrill = (
  { workspace }: Pick<Deps, 'workspace'>,
  record: DrillRecord,
): Promise<DrillRecord> => writeFact(workspace, record.runId, fact, drillRecordSchema, record);

/** Run id of the restore that the drill is: the name of its child execution in drill.asl.json. */
export const scratchRunId = (runId: string): string => runId + scratchSuffix;
