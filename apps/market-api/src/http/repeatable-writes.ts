import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { z } from 'zod';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What a write answered. */
const firstAnswer = z.object({
  status: z.int(),
  headers: z.record(z.string(), z.string()),
  /** Absent where the answer has none. */
  body: z.unknown().optional(),
});
export type FirstAnswer = z.output<typeof firstAnswer>;

/** A write by its credential and Idempotency-Key. */
export interface RepeatableWrite {
  readonly id: Uint8Array<ArrayBuffer>;
  readonly requestHash: Uint8Array<ArrayBuffer>;
  /** Encrypts the answer: derived from the credential, which is not stored. */
  readonly secret: Uint8Array<ArrayBuffer>;
}

export type Claim =
  /** Nobody has made this write: make it, then tell the answer. */
  | { readonly kind: 'first' }
  | { readonly kind: 'answered'; readonly answer: FirstAnswer }
  /** The key came before with another request. */
  | { readonly kind: 'other-request' }
  /** It is being made, or the process that made it died before it could say how it ended. */
  | { readonly kind: 'unanswered' };

export function repeatableWrite(credential: string, key: string, request: string): RepeatableWrite {
  return {
    id: digest('id', credential, key),
    requestHash: digest('request', request),
    secret: digest('answer', credential, key),
  };
}

/**
 * The answers of writes that came with an Idempotency-Key. An answer can hold a fresh secret, so it is encrypted under the
 * credential that asked for it: the database alone does not give it away.
 */
@Injectable()
export class RepeatableWrites {
  constructor(private readonly prisma: PrismaClient) {}

  async claim(write: RepeatableWrite): Promise<Claim> {
    const { id, requestHash, secret } = write;
    const made = await this.prisma.repeatableWrite.createMany({ data: [{ id, requestHash }], skipDuplicates: true });
    if (made.count === 1) return { kind: 'first' };
    const known = await this.prisma.repeatableWrite.findUnique({ where: { id } });
    // Released between the two questions: whoever asks again may make it.
    if (known === null) return { kind: 'unanswered' };
    if (!Buffer.from(known.requestHash).equals(requestHash)) return { kind: 'other-request' };
    if (known.answer === null) return { kind: 'unanswered' };
    return { kind: 'answered', answer: open(known.answer, secret) };
  }

  async answer({ id, secret }: RepeatableWrite, answer: FirstAnswer): Promise<void> {
    await this.prisma.repeatableWrite.updateMany({ where: { id }, data: { answer: seal(answer, secret) } });
  }

  /** Forgets a write that was refused: nothing was changed, so it may be tried again. */
  async release({ id }: RepeatableWrite): Promise<void> {
    await this.prisma.repeatableWrite.deleteMany({ where: { id, answer: null } });
  }

  /** Forgets old ones. Returns how many. */
}

function digest(purpose: string, ...parts: readonly string[]): Uint8Array<ArrayBuffer> {
  const hash = createHash('sha256').update(`seedfleet ${purpose}\0`);
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return new Uint8Array(hash.digest());
}

function seal(answer: FirstAnswer, secret: Uint8Array): Uint8Array<ArrayBuffer> {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', secret, nonce);
  const text = Buffer.concat([cipher.update(JSON.stringify(answer), 'utf8'), cipher.final()]);
  return new Uint8Array(Buffer.concat([nonce, cipher.getAuthTag(), text]));
}

function open(sealed: Uint8Array, secret: Uint8Array): FirstAnswer {
  const bytes = Buffer.from(sealed);
  const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
  return firstAnswer.parse(JSON.parse(text.toString('utf8')));
}
