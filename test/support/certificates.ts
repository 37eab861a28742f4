/**
 * Makes a root certificate and a server certificate signed by it, as PEM: X.509 v3 written out in DER (RFC 5280),
 * ECDSA P-256 with SHA-256. Tests need no openssl and no key lies in the repository.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const length =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const utf8 = (text: string) => der(0x0c, Buffer.from(text));
const time = (date: Date) =>
  der(0x18, Buffer.from(`${date.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`));
const name = (commonName: string) => sequence(der(0x31, sequence(oid('550403'), utf8(commonName))));
const extension = (id: string, value: Uint8Array) => sequence(oid(id), der(0x04, value));
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
const isAuthority = extension('551d13', sequence(der(0x01, Buffer.from([0xff]))));
const alternativeName = (dns: string) => extension('551d11', sequence(der(0x82, Buffer.from(dns))));

function certificate(
  subject: string,
  key: KeyObject,
  issuer: string,
  signer: KeyObject,
  more: Buffer,
): string {
  const day = 86_400_000;
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    name(issuer),
    sequence(time(new Date(Date.now() - day)), time(new Date(Date.now() + day))),
    name(subject),
    key.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(more)),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, signer));
  const text = sequence(body, ecdsaWithSha256, signature).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${text.replaceAll(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
}

export interface TestCertificates {
  readonly root: string;
  readonly certificate: string;
  readonly key: string;
}

/** @param dnsName the only name for which the server certificate is good */
export function makeCertificates(dnsName: string): TestCertificates {
  const root = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    root: certificate('Test Root', root.publicKey, 'Test Root', root.privateKey, isAuthority),
    certificate: certificate(
      dnsName,
      server.publicKey,
      'Test Root',
      root.privateKey,
      alternativeName(dnsName),
    ),
    key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
