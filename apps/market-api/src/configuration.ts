import { commonConfig, databaseConfig, networks, redisConfig } from '@seedfleet/service-kit';
import { z } from 'zod';
import { readContentRoots } from './making/content-roots.js';

const contentRoots = z
  .string()
  .default('')
  .transform((text, context) => {
    const roots = readContentRoots(text);
    if (roots === undefined)
      context.addIssue({ code: 'custom', message: 'must be absolute paths as /a or /a=/b, by commas' });
    return roots ?? [];
  });

/** What this service reads from its environment besides what every service does. */
export const marketApiConfig = commonConfig.extend({
  ...databaseConfig,
  /** Where the first administrator key is written on the first start; only its hash is in the database. */
  API_KEY_FILE: z.string().min(1),
  ...redisConfig,
  /** Private networks that webhooks may call nevertheless, as a receiver in the same cluster. */
  WEBHOOK_NETWORKS: networks,
  /**
   * Folders whose content may be made into torrents, by commas: PATH, or PATH=PATH_ON_NODES where nodes see it elsewhere.
   */
  CONTENT_ROOTS: contentRoots,
  /** Proxies in front of this service: only their X-Forwarded-For and -Proto count. */
  TRUSTED_PROXIES: networks,
  /**
   * Requests that are worked on at once, twice the connections to Postgres by default; half of them may be of people without a known
   * credential.
   */
  MAX_REQUESTS: z.coerce.number().int().min(1).max(10_000).default(32),
  /** Requests that wait for that, two seconds at most; beyond it they are refused with `overloaded`, the public first. */
  MAX_WAITING_REQUESTS: z.coerce.number().int().min(0).max(100_000).default(256),
});

export type MarketApiConfig = z.output<typeof marketApiConfig>;
