/**
 * JSON around signatures: `manifest.sig` and evidence.
 *
 * Invariant: one text per value. What a parser would forgive (white space, order of digits in base64 padding, a second
 * key of the same name) is refused, so that a changed byte is always noticed.
 */
import { type ZodType, z } from 'zod';
import { HoldfastError } from '../contract/errors.ts';
import type { Signature } from '../keyring/key-ring.ts';
import { decodeJson, encodeJson } from '../vault/json.ts';

/** base64 of 64 bytes (Ed25519) or of DER (ECDSA); that it is the canonical one is looked at below. */
export const signatureSchema = z.strictObject({
  algorithm: z.enum(['Ed25519', 'ECDSA_SHA_256']),
  keyId: z.string(),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  signature: z
    .base64()
    .refine((text) => Buffer.from(text, 'base64').toString('base64') === text, 'not canonical'),
}) satisfies ZodType<Signature>;

export const encodeSignature = (signature: Signature): Uint8Array => encodeJson(signature);

/** @throws SignatureInvalidError when the text is not exactly one that we write */
export const decodeSignature = (body: Uint8Array, what: string): Signature =>
  decodeStrictly(signatureSchema, body, what);

/** @throws SignatureInvalidError */
export function decodeStrictly<T>(schema: ZodType<T>, body: Uint8Array, what: string): T {
  let value: T;
  try {
    value = decodeJson(schema, body, what);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HoldfastError('SignatureInvalidError', `The signature cannot be read: ${why}`, {
      cause,
    });
  }
  const text = Buffer.from(body).toString('utf8');
  const again = JSON.parse(text) as unknown;
  const canonical = [JSON.stringify(again, null, 2), JSON.stringify(again)];
  if (!canonical.some((form) => text === form || text === `${form}\n`)) {
    throw new HoldfastError(
      'SignatureInvalidError',
      `${what} was changed: it is not written as we write.`,
    );
  }
  return value;
}
