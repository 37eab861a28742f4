/** A server in the emulator's RDS that `holdfast doctor --db-instance` finds nothing wrong with. */
import { randomBytes } from 'node:crypto';
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  CreateVpcCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import {
  CreateDBInstanceCommand,
  CreateDBParameterGroupCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { clientSettings } from '../emulator-clients.ts';

export async function makeDoctorsInstance(): Promise<{
  readonly instance: string;
  readonly functionGroup: string;
}> {
  const id = `d${randomBytes(4).toString('hex')}`;
  const ec2 = new EC2Client(clientSettings());
  const rds = new RDSClient(clientSettings());
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.9.0.0/16' }));
  const group = async (name: string) => {
    const GroupName = `${id}-${name}`;
    const { GroupId } = await ec2.send(
      new CreateSecurityGroupCommand({ GroupName, Description: name, VpcId: Vpc?.VpcId }),
    );
    return String(GroupId);
  };
  const [server, functionGroup] = [await group('server'), await group('functions')];
  const way = { IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432 };
  await ec2.send(
    new AuthorizeSecurityGroupIngressCommand({
      GroupId: server,
      IpPermissions: [{ ...way, UserIdGroupPairs: [{ GroupId: functionGroup }] }],
    }),
  );
  await rds.send(
    new CreateDBParameterGroupCommand({
      DBParameterGroupName: id,
      DBParameterGroupFamily: 'postgres18',
      Description: id,
    }),
  );
  await rds.send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: id,
      Engine: 'postgres',
      EngineVersion: '18.1',
      DBInstanceClass: 'db.t4g.medium',
      AllocatedStorage: 100,
      MasterUsername: 'app',
      MasterUserPassword: 'whatever-it-is',
      DBParameterGroupName: id,
      VpcSecurityGroupIds: [server],
    }),
  );
  return { instance: id, functionGroup };
}
