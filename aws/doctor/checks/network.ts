/** Whether security groups let the functions reach the port of the server: both ends must allow it. */
import type { IpPermission, SecurityGroup } from '@aws-sdk/client-ec2';
import { type Finding, ok, problem, warning } from '../../../core/doctor/check.ts';
import type { RdsCheck } from '../rds-check.ts';

/** Asked only when the group of the functions was named. */
export const networkPath: RdsCheck = {
  id: 'rds-network',
  title: 'Way from the functions',
  look({ what, instance, cluster, groups }): Finding {
    if (groups === undefined) return ok('No security group of functions was named.');
    const port = instance.Endpoint?.Port ?? cluster?.Port ?? 5432;
    const { functions, server } = groups();
    const [from, to] = [functions.GroupId ?? '', server.map(({ GroupId }) => GroupId ?? '')];
    const out = reach(functions.IpPermissionsEgress, port, to);
    if (out === 'no') {
      return problem(
        `${from} lets nothing out to port ${port} of the ${what} (${to.join(', ')}).`,
        `aws ec2 authorize-security-group-egress --group-id ${from} --ip-permissions ` +
          `IpProtocol=tcp,FromPort=${port},ToPort=${port},UserIdGroupPairs=[{GroupId=${to[0] ?? 'GROUP'}}]`,
      );
    }
    const ins = server.map((group) => reach(group.IpPermissions, port, [from]));
    const allow = `aws ec2 authorize-security-group-ingress --group-id ${to[0] ?? 'GROUP'} --protocol tcp --port ${port} --source-group ${from}`;
    if (ins.includes('open')) {
      return warning(
        `Any address reaches port ${port} of the ${what}, ${from} too.`,
        `Allow the group instead of everybody: ${allow}`,
      );
    }
    if (!ins.includes('group')) {
      const ranges = server.flatMap((group) => rangesOf(group, port));
      if (ranges.length === 0) {
        return problem(`No rule of ${to.join(', ')} lets ${from} in at port ${port}.`, allow);
      }
      return warning(
        `Port ${port} is open to ${ranges.join(', ')}: whether the functions' subnets are in there was not looked at.`,
        `Better allow their group: ${allow}`,
      );
    }
    const vpcs = new Set([functions, ...server].map(({ VpcId }) => VpcId));
    return vpcs.size > 1
      ? warning(
          `Security groups allow the way from ${from} to port ${port}, between different VPCs.`,
          'The VPCs must be peered, with routes both ways.',
        )
      : ok(`Security groups allow the way from ${from} to port ${port} of the ${what}.`);
  },
};

/** By a rule for one of the groups, for everybody, for some addresses, or not at all. */
type Reach = 'group' | 'open' | 'ranges' | 'no';

function reach(rules: IpPermission[] | undefined, port: number, groups: readonly string[]): Reach {
  const rulesForPort = (rules ?? []).filter((rule) => covers(rule, port));
  const isForGroup = rulesForPort.some(({ UserIdGroupPairs }) =>
    UserIdGroupPairs?.some(({ GroupId }) => groups.includes(GroupId ?? '')),
  );
  if (isForGroup) return 'group';
  const ranges = rulesForPort.flatMap(addressesOf);
  if (ranges.some((range) => range === '0.0.0.0/0' || range === '::/0')) return 'open';
  return ranges.length > 0 ? 'ranges' : 'no';
}

function covers({ IpProtocol, FromPort, ToPort }: IpPermission, port: number): boolean {
  if (IpProtocol === '-1') return true;
  // tcp by name or by number.
  if (IpProtocol !== 'tcp' && IpProtocol !== '6') return false;
  return (FromPort ?? 0) <= port && port <= (ToPort ?? 65_535);
}

const addressesOf = ({ IpRanges, Ipv6Ranges, PrefixListIds }: IpPermission): string[] => [
  ...(IpRanges ?? []).flatMap(({ CidrIp }) => CidrIp ?? []),
  ...(Ipv6Ranges ?? []).flatMap(({ CidrIpv6 }) => CidrIpv6 ?? []),
  ...(PrefixListIds ?? []).flatMap(({ PrefixListId }) => PrefixListId ?? []),
];

const rangesOf = ({ IpPermissions }: SecurityGroup, port: number): string[] =>
  (IpPermissions ?? []).filter((rule) => covers(rule, port)).flatMap(addressesOf);
