import { createHmac, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;

/** A fresh secret, shown once. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64url')}`;
}

/**
 * The `Seedfleet-Signature` of a delivery: `t=SECONDS,v1=HEX`, HEX being HMAC-SHA256 over "SECONDS.BODY" with the secret as
 * it was shown. The receiver computes the same over the raw body and refuses old times, so that nothing can be replayed.
 */
export function signature(secret: string, body: string, atMs: number): string {
  const seconds = Math.floor(atMs / 1_000);
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}
