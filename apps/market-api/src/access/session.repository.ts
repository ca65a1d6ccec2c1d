import { Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { auditRow, type AuditFact } from '../audit/audit-log.js';
import { isUsable } from './api-key.repository.js';
import type { Principal } from './principal.js';
import { isScope } from './scope.js';
import { hashToken } from './session-cookie.js';

/** A working day without a question, and the operator signs in again. */
export const SESSION_IDLE_MS = 12 * 3_600_000;
/** However busy: a week at most, so that a stolen cookie ends. */
export const SESSION_MAX_MS = 7 * 86_400_000;
/** Use is noted at most this often, so that reading the dashboard doesn't write all the time. */
const NOTE_EVERY_MS = 60_000;

export interface NewSession {
  readonly id: string;
  readonly hash: Uint8Array<ArrayBuffer>;
  readonly keyId: string;
  readonly endsAt: Date;
}

/** Sessions of the dashboard. */
@Injectable()
export class SessionRepository {
  constructor(private readonly prisma: PrismaClient) {}

  /** Whose session this token is of; undefined when it has ended or its key has. */
  async authenticate(token: string): Promise<Principal | undefined> {
    const row = await this.prisma.session.findUnique({ where: { hash: hashToken(token) }, include: { key: true } });
    const now = Date.now();
    if (row === null || row.endsAt.getTime() <= now || row.lastUsedAt.getTime() + SESSION_IDLE_MS <= now) {
      return undefined;
    }
    if (!isUsable(row.key)) return undefined;
    if (row.lastUsedAt.getTime() + NOTE_EVERY_MS <= now) {
      await this.prisma.session.updateMany({ where: { id: row.id }, data: { lastUsedAt: new Date() } });
    }
    return { keyId: row.keyId, name: row.key.name, scopes: row.key.scopes.filter(isScope), sessionId: row.id };
  }

  /** Opens a session, and forgets those that have ended. */
  async open(session: NewSession, fact: AuditFact): Promise<void> {
    await this.prisma.$transaction([
      this.prisma.session.deleteMany({ where: { endsAt: { lt: new Date() } } }),
      this.prisma.session.create({ data: session }),
      this.prisma.auditEntry.create({ data: auditRow(fact) }),
    ]);
  }

  async end(id: string, fact: AuditFact): Promise<void> {
    await this.prisma.$transaction([
      this.prisma.session.deleteMany({ where: { id } }),
      this.prisma.auditEntry.create({ data: auditRow(fact) }),
    ]);
  }
}
