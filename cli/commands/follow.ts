/** `holdfast follow`: looks on while an execution on AWS runs, and tells its end; also of one that has ended. */
import { Command } from 'commander';
import { HoldfastError } from '../../core/contract/errors.ts';
import { cancelBy, deploymentOf } from '../aws/deployment.ts';
import type { EnvironmentOptions } from '../environment-file.ts';
import { addJson, type CommonOptions } from '../options.ts';
import type { SetExitCode } from '../program.ts';

type FollowOptions = CommonOptions & EnvironmentOptions;

export function followCommand(setExitCode: SetExitCode): Command {
  const command = new Command('follow')
    .description('Follow a backup, restore or drill on AWS to its end, and tell what came of it.')
    .argument('<run>', 'ARN of an execution; with --env its name, or the beginning of that')
    .addHelpText(
      'after',
      `
Examples:
  holdfast follow arn:aws:states:eu-central-1:111122223333:execution:holdfast-prod-backup:shop-daily-0a1b
  holdfast --env prod follow shop-daily-0a1b --json

Ends as the command that started it would: the same summary and exit code, also when the run has ended
long ago (AWS keeps executions for 90 days). Ctrl-C ends the following, never the run.`,
    )
    .action((wanted: string, options: FollowOptions) => follow(wanted, options, setExitCode));
  return addJson(command);
}

async function follow(
  wanted: string,
  options: FollowOptions,
  setExitCode: SetExitCode,
): Promise<void> {
  const deployment = await deploymentOf(options);
  if (deployment === undefined && !wanted.startsWith('arn:')) {
    throw new HoldfastError(
      'UsageError',
      `${JSON.stringify(wanted)} is no ARN, and names are known to a deployment only.`,
      { hint: 'Say --env NAME too. A run on this machine is told by the command that runs it.' },
    );
  }
  const [{ namedByArn, namedInDeployment }, { sfnClient }, { followOnAws }] = await Promise.all([
    import('../aws/find-execution.ts'),
    import('../aws/run-clients.ts'),
    import('../aws/run-execution.ts'),
  ]);
  const byArn = namedByArn(wanted, deployment);
  const region = byArn?.place.region ?? deployment?.place.region ?? '';
  const sfn = await sfnClient(region);
  const execution = byArn ?? (deployment && (await namedInDeployment(sfn, wanted, deployment)));
  if (execution === undefined) return;
  const way =
    deployment === undefined
      ? cancelBy(`--env ${execution.environment}`, wanted)
      : cancelBy(deployment.said, execution.name);
  await followOnAws(sfn, execution, way, options, setExitCode);
}
