import type { ChannelRow } from '../channels/channel-row.js';
import type { Standing } from './order-verdict.js';

/**
 * Whether a silent tower may know a later payment of a channel than this database, which may be back from an old copy: the
 * channel is older than chain-watcher's ears, and the tower has said nothing of it since. What it said, and what began since,
 * is no older than the copy; and a copy is loaded before the fleet is started.
 */
export function mayKnowMore({ createdAt }: Pick<ChannelRow, 'createdAt'>, { towerUnheardSince }: Standing): boolean {
  return towerUnheardSince !== null && createdAt.getTime() <= towerUnheardSince;
}

/**
 * Whether such a tower is still to be waited for, beyond the minute that every silent tower is given.
 * @param untilMtp where waiting ends, seconds of median time past; null: where it would have no end
 */
export function isWaitedFor(
  row: Pick<ChannelRow, 'createdAt'>,
  standing: Standing,
  untilMtp: number | null,
  medianTimePast: number | undefined,
): boolean {
  return mayKnowMore(row, standing) && untilMtp !== null && (medianTimePast === undefined || medianTimePast < untilMtp);
}
