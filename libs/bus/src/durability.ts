import { jetstreamManager } from '@nats-io/jetstream';
import { z } from 'zod';
import type { Bus } from './bus.js';
import type { StreamContract } from './contract.js';
import { streamName } from './streams.js';

/*
 * What the broker's acknowledgement of a stored message is worth: on how many servers the message is, and whether each had
 * written it to its disk or only to the page cache, which a power cut empties. A client sees the version and, where it may
 * ask, the stream's replicas; how a server flushes only its monitoring endpoint tells (`sync_always` of /varz).
 */

/** Where a message is once a server has acknowledged it. */
export type Flush = 'fsync' | 'page-cache';

/** What an acknowledgement has to be worth. */
export interface RequiredDurability {
  readonly flush: Flush;
  /** Servers that keep the stream. */
  readonly replicas: number;
}

/** One server, as its monitoring endpoint describes it. */
export interface ServerSeen {
  readonly name: string;
  readonly version: string;
  readonly flush: Flush;
}

/** What could be found out about the broker. */
export interface BrokerSeen {
  /** Version of the server that we are connected to. */
  readonly version: string;
  /** Of the stream; null where this service may not ask, or the stream is not made yet. */
  readonly replicas: number | null;
  /** Names of the servers that keep the stream, or of the one that we are connected to. */
  readonly keepers: readonly string[];
  readonly servers: readonly ServerSeen[];
  /** Monitoring endpoints that did not answer as one, with the reason. */
  readonly unreadable: readonly string[];
}

export type DurabilityCode =
  /** The server can't flush each message (before 2.10), or has not the fixes of 2.10.23. */
  | 'broker-version-unsafe'
  /** A server keeps acknowledged messages in the page cache for a while. */
  | 'broker-flushes-later'
  /** The stream is on fewer servers than it has to be. */
  | 'too-few-replicas';

export interface DurabilityVerdict {
  /** What an acknowledgement is worth, for people. */
  readonly worth: string;
  /** What is known to be less than required; empty when nothing is. */
  readonly shortfalls: readonly { readonly code: DurabilityCode; readonly detail: string }[];
  /** What could not be found out. */
  readonly unverified: readonly string[];
}

/**
 * Whether a server version can be relied on to write every message through to the disk before it acknowledges it: the
 * setting, `sync_interval: always`, came with 2.10, and 2.10.20 to 2.10.22 must not be used; hence 2.10.23 or later.
 */
export function canSyncAlways(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  if (major !== 2) return major > 2;
  if (minor !== 10) return minor > 10;
  return patch > 22;
}

/** Holds what was seen of the broker against what is required. Pure. */
export function judgeDurability(required: RequiredDurability, seen: BrokerSeen): DurabilityVerdict {
  const shortfalls: { code: DurabilityCode; detail: string }[] = [];
  const unverified: string[] = [...seen.unreadable];
  const versions = new Set([seen.version, ...seen.servers.map(({ version }) => version)]);
  if (required.flush === 'fsync') {
    for (const version of versions) {
      if (!canSyncAlways(version)) {
        shortfalls.push({ code: 'broker-version-unsafe', detail: `NATS ${version} can't be relied on to flush` });
      }
    }
    for (const { name } of seen.servers.filter(({ flush }) => flush !== 'fsync')) {
      shortfalls.push({ code: 'broker-flushes-later', detail: `${name} runs without sync_interval: always` });
    }
    for (const keeper of seen.keepers.filter((name) => !seen.servers.some((server) => server.name === name))) {
      unverified.push(`whether ${keeper} flushes before it acknowledges: NATS_MONITOR_URLS does not name it`);
    }
  }
  if (seen.replicas === null) {
    if (required.replicas > 1) unverified.push(`whether ${required.replicas} servers keep the payment stream`);
  } else if (seen.replicas < required.replicas) {
    const detail = `the payment stream is on ${seen.replicas} of ${required.replicas} servers`;
    shortfalls.push({ code: 'too-few-replicas', detail });
  }
  return { worth: describeWorth(seen), shortfalls, unverified };
}

function describeWorth({ replicas, keepers, servers }: BrokerSeen): string {
  const flushes = keepers.map((name) => servers.find((server) => server.name === name)?.flush);
  const where = flushes.includes('page-cache')
    ? 'in the page cache'
    : flushes.length > 0 && flushes.every((flush) => flush === 'fsync')
      ? 'on the disk'
      : 'on the disk or in the page cache, which is unknown,';
  return `${where} of ${replicas === null ? 'an unknown number of servers' : replicas === 1 ? 'one server' : `a majority of ${replicas} servers`}`;
}

const ANSWER_MS = 3_000;

const varz = z.object({
  server_name: z.string().max(200),
  version: z.string().max(40),
  jetstream: z.object({ config: z.object({ sync_always: z.boolean().default(false) }).optional() }).optional(),
});

/**
 * Looks at the broker: its version, who keeps the stream, and how the servers behind the monitoring endpoints flush. Never
 * rejects: what can't be seen is said to be unseen.
 * @param monitorUrls http://HOST:PORT of each server's monitoring endpoint.
 */
export async function observeBroker(
  bus: Bus,
  contract: StreamContract,
  monitorUrls: readonly string[],
): Promise<BrokerSeen> {
  const servers: ServerSeen[] = [];
  const unreadable: string[] = [];
  await Promise.all(
    monitorUrls.map(async (url) => {
      try {
        servers.push(await readMonitor(url));
      } catch (failure) {
        const reason = failure instanceof Error ? failure.message : String(failure);
        unreadable.push(`how the server at ${new URL(url).host} flushes: ${reason.slice(0, 200)}`);
      }
    }),
  );
  const { version = 'unknown', server_name: connected } = bus.connection.info ?? {};
  const stream = await readStream(bus, contract);
  return {
    version,
    replicas: stream?.replicas ?? null,
    keepers: stream !== null && stream.keepers.length > 0 ? stream.keepers : [connected ?? 'the server'],
    servers,
    unreadable,
  };
}

async function readMonitor(url: string): Promise<ServerSeen> {
  const response = await fetch(new URL('/varz', url), { signal: AbortSignal.timeout(ANSWER_MS) });
  if (!response.ok) throw new Error(`answer ${response.status}`);
  const { server_name: name, version, jetstream } = varz.parse(await response.json());
  if (jetstream?.config === undefined) throw new Error('it runs without JetStream');
  return { name, version, flush: jetstream.config.sync_always ? 'fsync' : 'page-cache' };
}

/** Null where the stream is unknown or may not be looked at. */
async function readStream(bus: Bus, contract: StreamContract): Promise<{ replicas: number; keepers: string[] } | null> {
  try {
    const manager = await jetstreamManager(bus.connection, { timeout: ANSWER_MS, checkAPI: false });
    const { config, cluster } = await manager.streams.info(streamName(bus, contract));
    const keepers = [cluster?.leader, ...(cluster?.replicas ?? []).map(({ name }) => name)];
    return {
      replicas: config.num_replicas,
      keepers: keepers.filter((name) => name !== undefined && name !== '') as string[],
    };
  } catch {
    return null;
  }
}
