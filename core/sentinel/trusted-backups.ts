/**
 * What of a source's backups can be trusted: manifests whose signature is good, and records that speak of them.
 *
 * Invariant: what cannot be trusted counts for nothing and is told; what cannot be read is an error. A backup that was
 * found damaged after it was last found good counts for nothing either.
 */
import type { EvidenceKind, EvidenceRecord } from '../contract/catalogue.ts';
import type { Deps } from '../contract/deps.ts';
import { isHoldfastError } from '../contract/errors.ts';
import { readEvidence } from '../evidence/record.ts';
import { loadManifest, type OpenedBackup } from '../verify/open-backup.ts';
import { indexEvidence, type RecordKey } from './evidence-index.ts';

type TrustDeps = Pick<Deps, 'vault' | 'vaultId' | 'keyRing'>;

const untrusted = [
  'SignatureInvalidError',
  'KeyMismatchError',
  'ManifestInvalidError',
  'DecryptionError',
] as const;

export class TrustedBackups {
  readonly problems = new Set<string>();
  readonly #deps: TrustDeps;
  readonly #source: string;
  readonly #indexed = new Map<string, Promise<RecordKey[]>>();
  readonly #opened = new Map<string, OpenedBackup | undefined>();
  readonly #damaged = new Map<string, boolean>();

  constructor(deps: TrustDeps, source: string) {
    this.#deps = deps;
    this.#source = source;
  }

  /** @returns undefined when it has no manifest, or one that is not trusted */
  async open(backupId: string): Promise<OpenedBackup | undefined> {
    if (!this.#opened.has(backupId)) {
      const opened = await this.#trusting(`${backupId} is not trusted`, async () => {
        try {
          return await loadManifest(this.#deps, this.#source, backupId);
        } catch (error) {
          if (isHoldfastError(error, 'BackupNotFoundError')) return undefined;
          throw error;
        }
      });
      this.#opened.set(backupId, opened);
    }
    return this.#opened.get(backupId);
  }

  /** The newest signed record of a kind about the manifest that is there. */
  async record(backupId: string, kind: EvidenceKind): Promise<EvidenceRecord | undefined> {
    const keys = (await this.#recordsOf(backupId)).filter((each) => each.kind === kind);
    if (keys.length === 0) return undefined;
    const opened = await this.open(backupId);
    for (const { key } of keys.toReversed()) {
      const record = await this.#trusting(`${key} is not trusted`, () =>
        readEvidence(this.#deps, key),
      );
      if (record !== undefined && record.manifestSha256 === opened?.sha256) return record;
    }
    return undefined;
  }

  /** Was it last found damaged? A record "damaged" of a manifest that is lost speaks of the backup all the same. */
  async isDamaged(backupId: string): Promise<boolean> {
    const known = this.#damaged.get(backupId);
    if (known !== undefined) return known;
    const verdicts = (await this.#recordsOf(backupId)).filter(({ kind }) =>
      ['verified', 'proven', 'damaged'].includes(kind),
    );
    let isDamaged = false;
    for (const { key, kind } of verdicts.toReversed()) {
      const record = await this.#trusting(`${key} is not trusted`, () =>
        readEvidence(this.#deps, key),
      );
      if (record === undefined) continue;
      isDamaged = kind === 'damaged';
      if (isDamaged) this.problems.add(`${backupId} was found damaged at ${record.at}`);
      break;
    }
    this.#damaged.set(backupId, isDamaged);
    return isDamaged;
  }

  #recordsOf(backupId: string): Promise<RecordKey[]> {
    const known = this.#indexed.get(backupId);
    if (known !== undefined) return known;
    const records = indexEvidence(this.#deps.vault, this.#source, backupId);
    this.#indexed.set(backupId, records);
    return records;
  }

  async #trusting<T>(what: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!isHoldfastError(error, ...untrusted)) throw error;
      this.problems.add(`${what}: ${error.message}`);
      return undefined;
    }
  }
}
