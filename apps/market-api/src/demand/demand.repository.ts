import { Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';

/** Days over which the speed shown to buyers is measured. */
const SPEED_DAYS = 7;

/** What nodes reported of buyers, per torrent and day. */
@Injectable()
export class DemandRepository {
  constructor(private readonly prisma: PrismaClient) {}

  /** Bytes per second at which pieces left for buyers; absent for torrents of which none did. */
  async speeds(infoHashes: readonly string[]): Promise<Map<string, number>> {
    if (infoHashes.length === 0) return new Map();
    const rows = await this.prisma.$queryRaw<{ infoHash: string; bytesPerSecond: bigint }[]>`
      SELECT "infoHash", (sum("sentBytes") * 1000 / greatest(sum("sentMs"), 1))::bigint AS "bytesPerSecond"
      FROM market.demand_day
      WHERE "infoHash" = ANY(${[...infoHashes]}) AND day > (now() AT TIME ZONE 'UTC')::date - ${SPEED_DAYS}::int
      GROUP BY 1 HAVING sum("sentBytes") > 0`;
    return new Map(rows.map(({ infoHash, bytesPerSecond }) => [infoHash, Number(bytesPerSecond)]));
  }
}
