import { createPrismaClient, type PrismaClient } from '@seedfleet/persistence';

/** A client whose database answers and has our tables. Rejects, naming the cause. */
export async function openDatabase(databaseUrl: string): Promise<PrismaClient> {
  const prisma = createPrismaClient(databaseUrl);
  try {
    await prisma.$queryRaw`SELECT 1 FROM "channel"."channel" LIMIT 1`;
    return prisma;
  } catch (failure) {
    await prisma.$disconnect();
    const { host, pathname } = new URL(databaseUrl);
    const message = failure instanceof Error ? failure.message : String(failure);
    const isUnmigrated = message.includes('42P01') || message.includes('3F000');
    throw new Error(
      isUnmigrated
        ? `DATABASE_URL: the database ${pathname.slice(1)} at ${host} has no tables of channels; deploy the migrations`
        : `DATABASE_URL: Postgres at ${host} can't be used: ${message.replace(/\s+/g, ' ').trim()}`,
    );
  }
}
