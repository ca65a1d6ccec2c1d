import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import type { connectionParts } from './connection-parts.js';

type Adapter = Awaited<ReturnType<PrismaPg['connect']>>;

/** Held by the transaction that runs a migration, however long its sender has been dead. */
export const MIGRATION_LOCK = 5_377_001;

/** In the log column of a migration that notes itself: unfinished, it has left nothing behind. */
export const NOTES_ITSELF = 'notes itself in its own transaction';

/**
 * The adapter for migrations. Four things differ from the stock one: a script goes to the server whole, hence in one
 * transaction (the stock one cuts at every semicolon, also inside function bodies); that transaction notes the migration
 * as finished itself, since the server carries on when the sender dies; the shadow run has its own database (with a
 * connection string it would go to the main one); and it is dropped after its pool has ended.
 */
export class MigrationPg extends PrismaPg {
  /** @param nameOf the name of the migration with this script, if the database keeps note of it. */
  constructor(
    private readonly parts: ReturnType<typeof connectionParts>,
    private readonly nameOf: (script: string) => string | undefined = () => undefined,
  ) {
    super(parts);
  }

  /** Adapters handed to the engine, which never gives them back. */
  private readonly opened: { dispose(): Promise<void> }[] = [];

  /** Ends every connection, so that the process may end. */
  async disconnect(): Promise<void> {
    await Promise.all(this.opened.splice(0).map((adapter) => adapter.dispose()));
  }

  override async connect(): Promise<Adapter> {
    const adapter = await super.connect();
    this.opened.push(adapter);
    adapter.executeScript = async (script) => {
      const client = new pg.Client(this.parts);
      await client.connect();
      try {
        const name = this.nameOf(script);
        await (name === undefined ? client.query(script) : runNoting(client, name, script));
      } finally {
        await client.end();
      }
    };
    return adapter;
  }

  override async connectToShadowDb(): Promise<Adapter> {
    const admin = await this.connect();
    const database = `prisma_shadow_${crypto.randomUUID()}`;
    await admin.executeScript(`CREATE DATABASE "${database}"`);
    const shadow = await new MigrationPg({ ...this.parts, database }).connect();
    const dispose = shadow.dispose.bind(shadow);
    shadow.dispose = async () => {
      await dispose();
      await admin.executeScript(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
      await admin.dispose();
    };
    return shadow;
  }
}

/** Runs a migration that the engine has begun to note, and notes its end in the same transaction. */
async function runNoting(client: pg.Client, name: string, script: string): Promise<void> {
  const row = `"migration_name" = ${client.escapeLiteral(name)} AND "finished_at" IS NULL AND "rolled_back_at" IS NULL`;
  await client.query(`UPDATE "_prisma_migrations" SET "logs" = ${client.escapeLiteral(NOTES_ITSELF)} WHERE ${row}`);
  // Statements of one message are one transaction.
  await client.query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK});
${script}
;UPDATE "_prisma_migrations" SET "finished_at" = now(), "logs" = NULL WHERE ${row}`);
}
