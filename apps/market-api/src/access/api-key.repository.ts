import { Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { auditRow, type AuditFact } from '../audit/audit-log.js';
import { hashApiKey } from './key-text.js';
import type { Principal } from './principal.js';
import { isScope, type Scope } from './scope.js';

/** A key without its secret. */
export interface ApiKeyRecord {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}

export interface NewApiKey {
  readonly id: string;
  readonly hash: Uint8Array<ArrayBuffer>;
  readonly name: string;
  readonly scopes: readonly Scope[];
}

/** Serialises everything that counts administrator keys. */
const ADMIN_KEYS_LOCK = 0x5eed_f1e7;

const publicColumns = { id: true, name: true, scopes: true, createdAt: true, revokedAt: true } as const;

@Injectable()
export class ApiKeyRepository {
  constructor(private readonly prisma: PrismaClient) {}

  /** Whose key this is, or undefined when it is unknown or revoked. */
  async authenticate(keyText: string): Promise<Principal | undefined> {
    const row = await this.prisma.apiKey.findUnique({ where: { hash: hashApiKey(keyText) } });
    if (row === null || row.revokedAt !== null) return undefined;
    return { keyId: row.id, name: row.name, scopes: row.scopes.filter(isScope) };
  }

  /** `unknown`: no such key was ever stored. */
  async standing(keyText: string): Promise<'active' | 'revoked' | 'unknown'> {
    const row = await this.prisma.apiKey.findUnique({ where: { hash: hashApiKey(keyText) } });
    if (row === null) return 'unknown';
    return row.revokedAt === null ? 'active' : 'revoked';
  }

  async list(limit: number): Promise<ApiKeyRecord[]> {
    const rows = await this.prisma.apiKey.findMany({
      select: publicColumns,
      orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
      take: limit,
    });
    return rows.map((row) => ({ ...row, scopes: row.scopes.filter(isScope) }));
  }

  async add(key: NewApiKey, fact: AuditFact): Promise<ApiKeyRecord> {
    const { id, hash, name, scopes } = key;
    const [row] = await this.prisma.$transaction([
      this.prisma.apiKey.create({ data: { id, hash, name, scopes: [...scopes] }, select: publicColumns }),
      this.prisma.auditEntry.create({ data: auditRow(fact) }),
    ]);
    return { ...row, scopes: row.scopes.filter(isScope) };
  }

  /** Adds the key only when no active key may manage keys yet. Returns whether it did. */
  async addFirst(key: NewApiKey, fact: AuditFact): Promise<boolean> {
    return this.prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(${ADMIN_KEYS_LOCK})`;
      if ((await tx.apiKey.count({ where: { revokedAt: null, scopes: { has: 'money' } } })) > 0) return false;
      const { id, hash, name, scopes } = key;
      await tx.apiKey.create({ data: { id, hash, name, scopes: [...scopes] } });
      await tx.auditEntry.create({ data: auditRow(fact) });
      return true;
    });
  }

  /** Revokes a key unless it is the last that may manage keys. Revoking twice is harmless. */
  async revoke(id: string, fact: AuditFact): Promise<'revoked' | 'unknown' | 'last'> {
    return this.prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(${ADMIN_KEYS_LOCK})`;
      const row = await tx.apiKey.findUnique({ where: { id } });
      if (row === null) return 'unknown';
      if (row.revokedAt !== null) return 'revoked';
      const others = await tx.apiKey.count({ where: { revokedAt: null, scopes: { has: 'money' }, id: { not: id } } });
      if (others === 0) return 'last';
      await tx.apiKey.update({ where: { id }, data: { revokedAt: new Date() } });
      await tx.auditEntry.create({ data: auditRow(fact) });
      return 'revoked';
    });
  }
}
