/** The network of the databases in one Region, as it was given: nothing is looked up. */
import { Annotations } from 'aws-cdk-lib';
import {
  CfnVPCEndpoint,
  type ISecurityGroup,
  type ISubnet,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  Subnet,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Effect, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Network } from '../../core/contract/environment.ts';
import type { Place } from '../../core/contract/names.ts';
import { interfacePolicy, s3Policy } from './endpoint-policies.ts';

/** What AWS's own policy for functions in a VPC allows. Interfaces have no names beforehand, hence `*`. */
const interfaceActions = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/** Route tables are asked for by what changes routes; nothing here does. */
function subnetOf(scope: Construct, id: string): ISubnet {
  const subnet = Subnet.fromSubnetId(scope, id, id);
  Annotations.of(subnet).acknowledgeWarning('@aws-cdk/aws-ec2:noSubnetRouteTableId');
  return subnet;
}

export class FunctionNetwork extends Construct {
  readonly placement: {
    readonly vpc: IVpc;
    readonly vpcSubnets: { readonly subnets: ISubnet[] };
    readonly securityGroups: ISecurityGroup[];
  };

  constructor(scope: Construct, id: string, network: Network) {
    super(scope, id);
    const { vpcId, availabilityZones, subnetIds, securityGroupIds } = network;
    this.placement = {
      vpc: Vpc.fromVpcAttributes(this, 'Vpc', { vpcId, availabilityZones }),
      vpcSubnets: { subnets: subnetIds.map((subnet) => subnetOf(this, subnet)) },
      securityGroups: securityGroupIds.map((group) =>
        // The group is the operator's: who it may speak to is not ours to change.
        SecurityGroup.fromSecurityGroupId(this, group, group, { mutable: false }),
      ),
    };
  }

  /** Lambda makes interfaces in the role's name; the function's own code may not. */
  allowInterfaces(role: Role, functionArn: string): void {
    role.addToPolicy(new PolicyStatement({ actions: interfaceActions, resources: ['*'] }));
    role.addToPolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        actions: interfaceActions,
        resources: ['*'],
        conditions: { ArnEquals: { 'lambda:SourceFunctionArn': functionArn } },
      }),
    );
  }
}

/**
 * What functions in the network call: keys, secrets, parameters, Record, RDS, executions. Their logs, metrics, traces and
 * credentials do not go through the network, so there are no endpoints for them.
 */
const interfaceServices = ['kms', 'secretsmanager', 'ssm', 'lambda', 'rds', 'states'] as const;

/** Ways to AWS's services for a network that has none. */
export class NetworkEndpoints extends Construct {
  constructor(scope: Construct, id: string, props: { network: Network; place: Place }) {
    super(scope, id);
    const { network, place } = props;
    const { account, region } = place;
    const { vpcId, availabilityZones, subnetIds, securityGroupIds, routeTableIds } = network;
    const service = (name: string) => `com.amazonaws.${region}.${name}`;
    new CfnVPCEndpoint(this, 's3', {
      vpcId,
      serviceName: service('s3'),
      vpcEndpointType: 'Gateway',
      policyDocument: s3Policy(account, region),
      routeTableIds,
    });

    const vpc = Vpc.fromVpcAttributes(this, 'Vpc', { vpcId, availabilityZones });
    const group = new SecurityGroup(this, 'Group', {
      vpc,
      description: 'Holdfast: HTTPS from its functions to endpoints of AWS',
      allowAllOutbound: false,
    });
    for (const id of securityGroupIds) {
      group.addIngressRule(Peer.securityGroupId(id), Port.tcp(443), 'HTTPS from the functions');
    }
    for (const name of interfaceServices) {
      new CfnVPCEndpoint(this, name, {
        vpcId,
        serviceName: service(name),
        vpcEndpointType: 'Interface',
        policyDocument: interfacePolicy(account),
        subnetIds,
        securityGroupIds: [group.securityGroupId],
        privateDnsEnabled: true,
      });
    }
  }
}
