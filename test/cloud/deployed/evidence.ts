/** The signed records of a backup, as anybody reads them who may read the vault: each signature is checked. */
import { DescribeKeyCommand } from '@aws-sdk/client-kms';
import { openKmsKeyRing } from '../../../aws/keyring/kms-key-ring.ts';
import { openS3Vault } from '../../../aws/vault/s3-vault.ts';
import type { EvidenceRecord } from '../../../core/contract/catalogue.ts';
import type { Place } from '../../../core/contract/names.ts';
import { readAllEvidence } from '../../../core/evidence/record.ts';
import { clientsIn, names, primary } from './harness.ts';

/** @returns oldest first @throws SignatureInvalidError when one was changed */
export async function evidenceOf(
  backupId: string,
  place: Place = primary(),
): Promise<EvidenceRecord[]> {
  const { s3, kms } = clientsIn(place.region);
  const arnOf = async (KeyId: string) =>
    String((await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.Arn);
  const deps = {
    vault: openS3Vault({ s3, bucket: names.vaultBucket(place), lockMode: 'GOVERNANCE' }),
    keyRing: openKmsKeyRing({
      kms,
      encryptionKeyArn: await arnOf(names.encryptionKeyAlias),
      signingKeyArn: await arnOf(names.signingKeyAlias),
    }),
  };
  const records: EvidenceRecord[] = [];
  for await (const record of readAllEvidence(deps, 'shop', backupId)) records.push(record);
  return records;
}
