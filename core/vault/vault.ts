/**
 * The two ports through which everything is kept: `Vault` (backups; write once) and `Workspace` (runs; short life).
 *
 * Invariant: an object is visible only whole, and a vault object never changes once it is visible.
 * Every adapter passes the contract suite in `test/support/vault-contract.ts`.
 */
import type { Readable } from 'node:stream';

/** An object as it was written. `versionId` names these very bytes, whatever happens to the key later. */
export interface ObjectRef {
  readonly key: string;
  readonly versionId: string;
  readonly storedBytes: number;
  /** SHA-256 of the stored bytes, 64 hex digits. */
  readonly sha256: string;
}

export interface ObjectHead extends Omit<ObjectRef, 'sha256'> {
  /** Absent where it is not known without reading the object (large ones on S3); a manifest has it for each of its objects. */
  readonly sha256?: string;
  readonly lastModified: Date;
  readonly tags: Readonly<Record<string, string>>;
  readonly retainUntil?: Date;
  readonly hasLegalHold: boolean;
}

export interface ListedObject {
  readonly key: string;
  readonly storedBytes: number;
  readonly lastModified: Date;
}

export interface PutOptions {
  readonly tags?: Readonly<Record<string, string>>;
}

export interface ByteRange {
  /** First byte, 0-based. */
  readonly offset: number;
  /** Number of bytes. */
  readonly length: number;
}

/**
 * Takes the bytes of one object in order. Nothing is visible before `commit` returns.
 * `write` resolves when the next chunk may come (backpressure) and leaves `chunk` to the caller afterwards.
 */
export interface ObjectWriter {
  write(chunk: Uint8Array): Promise<void>;
  /** SHA-256 of all bytes that were written so far, hex: hashing them twice would cost 3 % of a dump's CPU time. */
  sha256SoFar(): string;
  /**
   * @throws PreconditionFailedError when the key exists already
   * @throws VaultFullError, VaultAccessDeniedError, VaultIoError
   */
  commit(): Promise<ObjectRef>;
  /** Throws the bytes away. Safe to call more than once and after a failed commit. */
  abort(): Promise<void>;
}

/**
 * Keys are `/`-separated, as in `core/vault/keys.ts`. All writes are If-None-Match: * (an object is written once).
 * Every method throws VaultAccessDeniedError, VaultFullError or VaultIoError as they occur:
 * "cannot read" is never told as "does not exist".
 */
export interface Vault {
  /** Where it is, for people: a folder or `s3://…`. Never holds a secret. */
  readonly location: string;
  openWriter(key: string, options?: PutOptions): Promise<ObjectWriter>;
  /** Small objects in one call. @throws PreconditionFailedError when the key exists */
  put(key: string, body: Uint8Array, options?: PutOptions): Promise<ObjectRef>;
  /** @throws ObjectNotFoundError */
  get(key: string, versionId?: string): Promise<Uint8Array>;
  /** @throws ObjectNotFoundError; ends with an error when fewer bytes come than the range asks for */
  openReader(key: string, options?: { versionId?: string; range?: ByteRange }): Promise<Readable>;
  /** @throws ObjectNotFoundError */
  head(key: string): Promise<ObjectHead>;
  /** In ascending order of key. An unknown prefix is empty. */
  list(
    prefix: string,
    options?: { startAfter?: string; limit?: number },
  ): AsyncIterable<ListedObject>;
  /** Replaces all tags. @throws ObjectNotFoundError */
  setTags(key: string, tags: Readonly<Record<string, string>>): Promise<void>;
  /** Extends only. @throws ObjectLockedError when it would shorten */
  setRetainUntil(key: string, until: Date): Promise<void>;
  setLegalHold(key: string, on: boolean): Promise<void>;
  /** No error when the key is not there. @throws ObjectLockedError */
  delete(key: string): Promise<void>;
}

export interface WorkspaceEntry {
  readonly body: Uint8Array;
  /** Names these very bytes, for `ifMatch`. */
  readonly etag: string;
}

export type WriteCondition = { readonly ifNoneMatch: '*' } | { readonly ifMatch: string };

/** Small JSON documents about runs; may be overwritten; nothing in it is needed to restore. */
export interface Workspace {
  readonly location: string;
  /** @throws PreconditionFailedError when the condition does not hold */
  put(
    key: string,
    body: Uint8Array,
    condition?: WriteCondition,
  ): Promise<{ readonly etag: string }>;
  /** `undefined` when there is none (and only then). */
  get(key: string): Promise<WorkspaceEntry | undefined>;
  list(prefix: string): AsyncIterable<string>;
  /** With `ifMatch`: @throws PreconditionFailedError. No error when the key is not there. */
  delete(key: string, condition?: { readonly ifMatch: string }): Promise<void>;
}
