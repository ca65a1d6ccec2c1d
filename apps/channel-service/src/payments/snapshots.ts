import {
  checkParameters,
  prepareSettlement,
  verifyPayment,
  type Ecdsa,
  type Network,
  type SettlementTemplate,
} from '@seedfleet/payment-channel';
import type { PrismaClient } from '@seedfleet/persistence';
import type { Logger } from '@seedfleet/service-kit';
import type { ChannelRow } from '../channels/channel-row.js';
import { channelParameters } from '../channels/parameters.js';
import type { ChannelSnapshot } from './judge.js';

/** Channels kept in memory: twice what a busy fleet has open at once, about 2 kB each. */
const MAX_SNAPSHOTS = 20_000;

/**
 * The intake's own view of channels, read from Postgres once each. Only what can't change is kept: the terms and keys
 * of a channel after `ready`, and a k that the stored one is never below.
 */
export class Snapshots {
  private readonly known = new Map<string, ChannelSnapshot>();

  constructor(
    private readonly prisma: PrismaClient,
    private readonly network: Network,
    private readonly ecdsa: Ecdsa,
    private readonly logger: Logger,
  ) {}

  /** What is known of these channels. Ids that no channel has are absent. */
  async of(channelIds: readonly string[]): Promise<Map<string, ChannelSnapshot>> {
    const found = new Map<string, ChannelSnapshot>();
    const missing: string[] = [];
    for (const id of channelIds) {
      const snapshot = this.known.get(id);
      if (snapshot === undefined) missing.push(id);
      else found.set(id, snapshot);
    }
    if (missing.length > 0) {
      for (const [id, snapshot] of await this.load(missing)) {
        found.set(id, snapshot);
        if (snapshot.template !== null) this.keep(id, snapshot);
      }
    }
    return found;
  }

  /** After a commit: payments up to k are stored. */
  advance(channelId: string, k: number): void {
    const snapshot = this.known.get(channelId);
    if (snapshot !== undefined) this.keep(channelId, { ...snapshot, k });
  }

  /** Another life of the database may have begun, in which less is stored than was read before. */
  forgetAll(): void {
    this.known.clear();
  }

  forget(channelId: string): void {
    this.known.delete(channelId);
  }

  private async load(ids: readonly string[]): Promise<Map<string, ChannelSnapshot>> {
    const rows = await this.prisma.$queryRaw<ChannelRow[]>`
      SELECT * FROM "channel"."channel" WHERE "id" = ANY(${[...ids]}::uuid[])`;
    return new Map(
      rows.map((row) => {
        const snapshot = snapshotOf(row, this.network, this.ecdsa);
        if (snapshot.isCorrupt) {
          const { id: channelId, state } = row;
          this.logger.error({ channelId, state, code: 'row-corrupt' }, 'the row of a channel can not be right');
        }
        return [row.id, snapshot];
      }),
    );
  }

  private keep(id: string, snapshot: ChannelSnapshot): void {
    this.known.delete(id);
    this.known.set(id, snapshot);
    if (this.known.size <= MAX_SNAPSHOTS) return;
    for (const oldest of this.known.keys()) {
      this.known.delete(oldest);
      return;
    }
  }
}

/**
 * A row as payments are judged by it. A disk or a hand may have damaged it: keys that are none, or a stored payment that
 * does not verify any more. Then good payments look forged, so it has to be known before anybody is blamed.
 */
export function snapshotOf(row: ChannelRow, network: Network, ecdsa: Ecdsa): ChannelSnapshot {
  const { nodeId, signature } = row;
  const k = Number(row.k);
  const corrupt = { nodeId, template: null, k, isCorrupt: true };
  let template: SettlementTemplate;
  try {
    const parameters = channelParameters(row, network);
    if (parameters === null) return { ...corrupt, isCorrupt: false };
    if (checkParameters(parameters, ecdsa) !== undefined) return corrupt;
    template = prepareSettlement(parameters);
  } catch {
    return corrupt;
  }
  const isGood = k === 0 || (signature !== null && verifyPayment(template, k, signature, ecdsa).ok);
  return isGood ? { nodeId, template, k, isCorrupt: false } : corrupt;
}
