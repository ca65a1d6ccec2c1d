import { Injectable } from '@nestjs/common';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import { auditRow, type AuditFact } from '../audit/audit-log.js';
import { CURSOR_TIME_FORMAT, type Cursor } from '../http/cursor.js';
import { hashApiKey } from './key-text.js';
import { KnownKeys } from './known-keys.js';
import type { Principal } from './principal.js';
import { isScope, type Scope } from './scope.js';

/** A key without its secret. */
export interface ApiKeyRecord {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
  /** Null: never. */
  readonly expiresAt: Date | null;
  /** To the minute; null: never used. */
  readonly lastUsedAt: Date | null;
}

export interface ListedApiKey extends ApiKeyRecord {
  /** Creation time as a cursor needs it. */
  readonly at: string;
}

export type ApiKeyState = 'active' | 'revoked' | 'expired';

export interface NewApiKey {
  readonly id: string;
  readonly hash: Uint8Array<ArrayBuffer>;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt?: Date | null;
}

/** Whether a key still opens anything. */
export function isUsable(key: { readonly revokedAt: Date | null; readonly expiresAt: Date | null }): boolean {
  return stateOf(key) === 'active';
}

export function stateOf(key: { readonly revokedAt: Date | null; readonly expiresAt: Date | null }): ApiKeyState {
  if (key.revokedAt !== null) return 'revoked';
  return key.expiresAt !== null && key.expiresAt.getTime() <= Date.now() ? 'expired' : 'active';
}

/** Use is noted at most this often, so that reading doesn't write all the time. */
const NOTE_EVERY_MS = 60_000;

/** Serialises everything that counts administrator keys. */
const ADMIN_KEYS_LOCK = 0x5eed_f1e7;

/** Keys that keep the fleet manageable: those that expire don't count. */
const LASTING_ADMINS = { revokedAt: null, expiresAt: null, scopes: { has: 'money' } } as const;

const publicColumns = {
  id: true,
  name: true,
  scopes: true,
  createdAt: true,
  revokedAt: true,
  expiresAt: true,
  lastUsedAt: true,
} as const;

@Injectable()
export class ApiKeyRepository {
  private readonly known = new KnownKeys();

  constructor(private readonly prisma: PrismaClient) {}

  /**
   * Whose key this is, or undefined when it is unknown, revoked or has expired. One that another process revoked may
   * count for `KNOWN_MS` more.
   */
  async authenticate(keyText: string): Promise<Principal | undefined> {
    const hash = hashApiKey(keyText);
    const digest = Buffer.from(hash).toString('base64');
    const known = this.known.get(digest, Date.now());
    if (known !== undefined) return isUsable(known) ? principal(known) : undefined;
    const keep = this.known.asking(digest);
    const row = await this.prisma.apiKey.findUnique({ where: { hash } });
    if (row === null || !isUsable(row)) return undefined;
    const key = { ...row, scopes: row.scopes.filter(isScope) };
    keep(key, Date.now());
    if (row.lastUsedAt === null || row.lastUsedAt.getTime() + NOTE_EVERY_MS <= Date.now()) {
      await this.prisma.apiKey.updateMany({ where: { id: row.id }, data: { lastUsedAt: new Date() } });
    }
    return principal(key);
  }

  /** `unknown`: no such key was ever stored. */
  async standing(keyText: string): Promise<'active' | 'revoked' | 'unknown'> {
    const row = await this.prisma.apiKey.findUnique({ where: { hash: hashApiKey(keyText) } });
    if (row === null) return 'unknown';
    return isUsable(row) ? 'active' : 'revoked';
  }

  /** One row more than `limit` when there are more; newest first. */
  async list(state: ApiKeyState | undefined, after: Cursor | undefined, limit: number): Promise<ListedApiKey[]> {
    const conditions = [Prisma.sql`true`];
    if (state === 'revoked') conditions.push(Prisma.sql`"revokedAt" IS NOT NULL`);
    else if (state !== undefined) conditions.push(Prisma.sql`"revokedAt" IS NULL`);
    if (state === 'expired') conditions.push(Prisma.sql`"expiresAt" <= now()`);
    if (state === 'active') conditions.push(Prisma.sql`("expiresAt" IS NULL OR "expiresAt" > now())`);
    if (after !== undefined) {
      conditions.push(Prisma.sql`("createdAt", id) < (${after.at}::timestamptz, ${after.key})`);
    }
    const rows = await this.prisma.$queryRaw<(Omit<ListedApiKey, 'scopes'> & { scopes: string[] })[]>`
      SELECT id, name, scopes, "createdAt", "revokedAt", "expiresAt", "lastUsedAt",
             to_char("createdAt" AT TIME ZONE 'UTC', ${CURSOR_TIME_FORMAT}) AS at
      FROM market.api_key WHERE ${Prisma.join(conditions, ' AND ')}
      ORDER BY "createdAt" DESC, id DESC LIMIT ${limit + 1}`;
    return rows.map((row) => ({ ...row, scopes: row.scopes.filter(isScope) }));
  }

  async add(key: NewApiKey, fact: AuditFact): Promise<ApiKeyRecord> {
    const { id, hash, name, scopes, expiresAt = null } = key;
    const [row] = await this.prisma.$transaction([
      this.prisma.apiKey.create({ data: { id, hash, name, scopes: [...scopes], expiresAt }, select: publicColumns }),
      this.prisma.auditEntry.create({ data: auditRow(fact) }),
    ]);
    return { ...row, scopes: row.scopes.filter(isScope) };
  }

  /** Adds the key only when no active key may manage keys yet. Returns whether it did. */
  async addFirst(key: NewApiKey, fact: AuditFact): Promise<boolean> {
    return this.prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(${ADMIN_KEYS_LOCK})`;
      if ((await tx.apiKey.count({ where: LASTING_ADMINS })) > 0) return false;
      const { id, hash, name, scopes } = key;
      await tx.apiKey.create({ data: { id, hash, name, scopes: [...scopes] } });
      await tx.auditEntry.create({ data: auditRow(fact) });
      return true;
    });
  }

  /** Revokes a key unless it is among the last that may manage keys. Revoking twice is harmless. */
  async revoke(id: string, andMade: boolean, actor: string): Promise<'revoked' | 'unknown' | 'last'> {
    const outcome = await this.revokeStored(id, andMade, actor);
    this.known.forget();
    return outcome;
  }

  private revokeStored(id: string, andMade: boolean, actor: string): Promise<'revoked' | 'unknown' | 'last'> {
    return this.prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(${ADMIN_KEYS_LOCK})`;
      if ((await tx.apiKey.count({ where: { id } })) === 0) return 'unknown';
      const doomed = andMade ? await madeWith(tx, id) : [id];
      const living = await tx.apiKey.findMany({ where: { id: { in: doomed }, revokedAt: null }, select: { id: true } });
      if (living.length === 0) return 'revoked';
      const others = await tx.apiKey.count({ where: { ...LASTING_ADMINS, id: { notIn: doomed } } });
      if (others === 0) return 'last';
      await end(tx, living, actor);
      return 'revoked';
    });
  }

  /**
   * Puts a new key of the same name, scopes and expiry in the place of one that may be in other hands, at one moment.
   * Returns the new key and the ids of those that are revoked.
   */
  async rotate(
    id: string,
    andMade: boolean,
    fresh: { readonly id: string; readonly hash: Uint8Array<ArrayBuffer> },
    actor: string,
  ): Promise<Rotation> {
    const outcome = await this.rotateStored(id, andMade, fresh, actor);
    this.known.forget();
    return outcome;
  }

  private rotateStored(
    id: string,
    andMade: boolean,
    fresh: { readonly id: string; readonly hash: Uint8Array<ArrayBuffer> },
    actor: string,
  ): Promise<Rotation> {
    return this.prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(${ADMIN_KEYS_LOCK})`;
      const old = await tx.apiKey.findUnique({ where: { id } });
      if (old === null) return 'unknown';
      if (!isUsable(old)) return 'ended';
      const doomed = andMade ? await madeWith(tx, id) : [id];
      const { name, scopes, expiresAt } = old;
      const key = await tx.apiKey.create({ data: { ...fresh, name, scopes, expiresAt }, select: publicColumns });
      const data = { name, scopes, expiresAt: expiresAt?.toISOString() ?? null, replaces: id };
      await tx.auditEntry.create({ data: auditRow({ actor, action: 'api-key.create', target: key.id, data }) });
      const living = await tx.apiKey.findMany({ where: { id: { in: doomed }, revokedAt: null }, select: { id: true } });
      await end(tx, living, actor);
      return { key: { ...key, scopes: key.scopes.filter(isScope) }, revoked: living.map((one) => one.id) };
    });
  }
}

type Rotation = { readonly key: ApiKeyRecord; readonly revoked: readonly string[] } | 'unknown' | 'ended';

type Transaction = Parameters<Parameters<PrismaClient['$transaction']>[0]>[0];

/** The key, every key that was made with it, every key made with those, and so on. */
async function madeWith(tx: Transaction, id: string): Promise<string[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    WITH RECURSIVE family AS (
      SELECT ${id}::text AS id
      UNION
      SELECT made.target FROM family JOIN market.audit_entry made
        ON made.actor = 'key:' || family.id AND made.action = 'api-key.create')
    SELECT id FROM family`;
  return rows.map((row) => row.id);
}

/** Revokes keys and ends their sessions. */
async function end(tx: Transaction, keys: readonly { readonly id: string }[], actor: string): Promise<void> {
  const ids = keys.map(({ id }) => id);
  await tx.apiKey.updateMany({ where: { id: { in: ids } }, data: { revokedAt: new Date() } });
  await tx.session.deleteMany({ where: { keyId: { in: ids } } });
  await tx.auditEntry.createMany({
    data: ids.map((target) => auditRow({ actor, action: 'api-key.revoke', target })),
  });
}

function principal({ id, name, scopes }: Pick<ApiKeyRecord, 'id' | 'name' | 'scopes'>): Principal {
  return { keyId: id, name, scopes };
}
