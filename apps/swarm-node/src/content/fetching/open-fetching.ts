import { join } from 'node:path';
import type { PieceLoader } from '@seedfleet/bittorrent';
import { mayCall, type Logger } from '@seedfleet/service-kit';
import type { SwarmNodeConfig } from '../../config.js';
import type { NodeMetrics } from '../../metrics/node-metrics.js';
import type { Shelf } from '../shelf.js';
import type { Verifier } from '../verifier.js';
import { ContentFetcher } from './content-fetcher.js';
import { FetchedContent } from './fetched-content.js';

const HOUR_MS = 3_600_000;

/** What a node fetched and what it fetches, as its configuration says. Rejects when the disk does not let it. */
export async function openFetching(parts: {
  readonly config: SwarmNodeConfig;
  readonly shelf: Shelf;
  readonly verifier: Verifier;
  readonly loader: PieceLoader;
  readonly logger: Logger;
  readonly metrics: NodeMetrics;
}): Promise<{ readonly fetched: FetchedContent; readonly fetcher: ContentFetcher }> {
  const { config, logger, metrics } = parts;
  const fetched = await FetchedContent.open({
    folder: config.CONTENT_DIR ?? join(config.DATA_DIR, 'content'),
    quotaBytes: config.CONTENT_QUOTA_BYTES ?? config.CAPACITY_BYTES,
    keepFreeBytes: config.CONTENT_KEEP_FREE_BYTES,
    keepMs: config.CONTENT_KEEP_HOURS * HOUR_MS,
    nowMs: () => Date.now(),
    onEvicted: (infoHash, bytes, why) => {
      metrics.evictedBytes.inc({ why }, bytes);
      logger.info({ infoHash, bytes, why }, 'fetched content deleted');
    },
  });
  metrics.fetchedHeldBytes.set(fetched.heldBytes);
  const source = { mayCall: (address: string) => mayCall(address, config.CONTENT_NETWORKS) };
  return { fetched, fetcher: new ContentFetcher({ ...parts, fetched, source, atOnce: config.CONTENT_FETCHES }) };
}
