import { describe, expect, it } from 'vitest';
import { examine } from './rds-sample.ts';

describe('rds-network', () => {
  const tcp = (rule: object, port = 5432) => ({
    IpProtocol: 'tcp',
    FromPort: port,
    ToPort: port,
    ...rule,
  });
  const everything = { IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] };
  const fromFunctions = { UserIdGroupPairs: [{ GroupId: 'sg-fn' }] };
  const path = (ingress: object[], egress: object[] = [everything], vpc = 'vpc-1') =>
    examine(
      {
        groups: {
          functions: { GroupId: 'sg-fn', VpcId: 'vpc-1', IpPermissionsEgress: egress },
          server: [
            { GroupId: 'sg-other', VpcId: vpc, IpPermissions: [] },
            { GroupId: 'sg-db', VpcId: vpc, IpPermissions: ingress },
          ],
        },
      },
      'rds-network',
    );

  it.each<[string, object[], RegExp]>([
    ['a rule for the group', [tcp(fromFunctions)], /^ok: .*from sg-fn to port 5432/],
    ['a rule for all ports of the group', [{ IpProtocol: '-1', ...fromFunctions }], /^ok/],
    ['a range of ports', [{ ...tcp(fromFunctions), FromPort: 5000, ToPort: 6000 }], /^ok/],
    [
      'another port',
      [tcp(fromFunctions, 5433)],
      /^problem: No rule of sg-other, sg-db lets sg-fn in/,
    ],
    ['UDP', [{ ...tcp(fromFunctions), IpProtocol: 'udp' }], /^problem/],
    ['another group', [tcp({ UserIdGroupPairs: [{ GroupId: 'sg-x' }] })], /^problem/],
    ['no rule', [], /^problem/],
    [
      'some addresses',
      [tcp({ IpRanges: [{ CidrIp: '10.0.0.0/16' }] })],
      /^warning: .*open to 10\.0\.0\.0\/16/,
    ],
    ['a prefix list', [tcp({ PrefixListIds: [{ PrefixListId: 'pl-1' }] })], /^warning: .*pl-1/],
    ['everybody', [tcp({ IpRanges: [{ CidrIp: '0.0.0.0/0' }] })], /^warning: Any address/],
    ['everybody by IPv6', [tcp({ Ipv6Ranges: [{ CidrIpv6: '::/0' }] })], /^warning: Any address/],
  ])('%s', async (_, ingress, expected) => {
    expect(await path(ingress)).toMatch(expected);
  });

  it('the way out counts as well', async () => {
    const inward = [tcp(fromFunctions)];
    expect(await path(inward, [])).toMatch(/^problem: sg-fn lets nothing out to port 5432/);
    expect(await path(inward, [tcp({ UserIdGroupPairs: [{ GroupId: 'sg-db' }] })])).toMatch(/^ok/);
    expect(await path(inward, [tcp({ IpRanges: [{ CidrIp: '0.0.0.0/0' }] }, 443)])).toMatch(
      /^problem/,
    );
  });

  it('between VPCs a peering is needed, which groups do not tell', async () => {
    expect(await path([tcp(fromFunctions)], [everything], 'vpc-2')).toMatch(
      /^warning: .*different VPCs/,
    );
  });
});
