/** Takes on the role of a function, as somebody who has got hold of its credentials. */
import { createHash, createHmac } from 'node:crypto';
import { UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import { base, clientsIn } from '../deployed/harness.ts';
import { clientSettings, primaryRegion } from '../emulator-clients.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** Only Lambda may take on such a role: for the test the account's root may as well. */
export async function assume(roleName: string): Promise<Credentials> {
  const { account } = base();
  const trust = (principal: object) => ({
    ...{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: principal },
  });
  await clientsIn(primaryRegion).iam.send(
    new UpdateAssumeRolePolicyCommand({
      RoleName: roleName,
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          trust({ Service: 'lambda.amazonaws.com' }),
          trust({ AWS: `arn:aws:iam::${account}:root` }),
        ],
      }),
    }),
  );
  const answer = await callSts({
    ...{ Action: 'AssumeRole', Version: '2011-06-15', RoleSessionName: 'probe' },
    RoleArn: `arn:aws:iam::${account}:role/${roleName}`,
  });
  const read = (name: string): string => {
    const found = new RegExp(`<${name}>([^<]+)</${name}>`).exec(answer)?.[1];
    if (found === undefined) throw new Error(`No ${name} in the answer of AssumeRole: ${answer}`);
    return found;
  };
  return {
    accessKeyId: read('AccessKeyId'),
    secretAccessKey: read('SecretAccessKey'),
    sessionToken: read('SessionToken'),
  };
}

/** The one call of STS in the project is not worth a client of its own: signed by Signature Version 4. */
async function callSts(form: Readonly<Record<string, string>>): Promise<string> {
  const { endpoint, credentials, region } = clientSettings();
  const { host } = new URL(endpoint);
  const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const body = new URLSearchParams(form).toString();
  const type = 'application/x-www-form-urlencoded';
  const signed = 'content-type;host;x-amz-date';
  const canonical = [
    ...['POST', '/', '', `content-type:${type}`, `host:${host}`, `x-amz-date:${time}`, ''],
    ...[signed, sha256(body)],
  ].join('\n');
  const scope = `${time.slice(0, 8)}/${region}/sts/aws4_request`;
  const key = scope
    .split('/')
    .reduce<Buffer>(hmac, Buffer.from(`AWS4${credentials.secretAccessKey}`));
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n'));
  const response = await fetch(endpoint, {
    ...{ method: 'POST', body },
    headers: {
      'content-type': type,
      'x-amz-date': time,
      authorization:
        `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, ` +
        `SignedHeaders=${signed}, Signature=${signature.toString('hex')}`,
    },
  });
  return response.text();
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
