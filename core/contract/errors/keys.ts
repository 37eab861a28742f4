/** Errors of keys: having them, and what they open and sign. */
import { type ErrorEntry, entry } from './entry.ts';

export const keyErrors = {
  KeyFileMissingError: entry(
    'the key file is not there',
    'Name it with --key FILE or HOLDFAST_KEY_FILE; without it nobody can open the backups of this vault.',
  ),
  KeyFileInsecureError: entry('others can read the key file', 'chmod 600 the key file.'),
  KeyMismatchError: entry(
    'this key does not belong to this vault or backup',
    'Give the key, or the key file, with the id that the message asks for.',
  ),
  KeyAccessDeniedError: entry(
    'the key service refuses this role',
    'Allow the role the action that the message names, in the policy of the key and in its own; conditions on the encryption context count too.',
  ),
  KeyUnavailableError: entry(
    'the key is disabled, waits for its deletion, or is not there',
    'Enable the key, or cancel its deletion, then run again: without it nobody can open the backups.',
  ),
  KeyThrottledError: entry(
    'the key service takes no more requests for now',
    'The step is tried again by itself; if it keeps happening raise the quota of requests to the key service.',
    true,
  ),
  KeyServiceError: entry(
    'the key service did not answer, or reported an error of its own',
    'The step is tried again by itself; if it keeps happening check the way to the key service (VPC endpoint, NAT) and its health.',
    true,
  ),
  DecryptionError: entry(
    'the content could not be decrypted',
    'It was damaged or exchanged: restore this object from a replica.',
  ),
  SignatureInvalidError: entry(
    'the signature of the manifest is not valid',
    'Do not trust this backup: somebody or something changed it.',
  ),
} as const satisfies Record<string, ErrorEntry>;
