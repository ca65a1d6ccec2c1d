import { Inject, Injectable } from '@nestjs/common';
import { decodeTransaction, type ChannelParameters, type Ecdsa } from '@seedfleet/payment-channel';
import { Counter, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import type { ChannelRow } from '../channels/channel-row.js';
import { ECDSA } from '../tokens.js';
import { heldPayment, isWholeSettlement, type HeldPayment, type ProvenPayment } from './held-payment.js';
import type { HeldOrder, Standing } from './order-verdict.js';
import { settledPayment } from './settled-payment.js';

/** Claims that were reported; one that is forgotten is reported again. */
const MAX_REPORTED = 1_000;

const CLAIM_FAULTS = [
  'held-unreadable',
  'held-other-output',
  'held-no-settlement',
  'held-unproven',
  'held-beyond-cap',
  'sent-unproven',
] as const;
type ClaimFault = (typeof CLAIM_FAULTS)[number];
type Holder = 'fleet' | 'tower';

/**
 * What those who hold a channel's order know and this database may not: it may be back from an old copy. They are believed
 * what the buyer's signature proves, and nothing else; what proves nothing is counted, written down once, and passed over.
 */
@Injectable()
export class HeldOrders {
  private readonly claims: Counter<'result'>;
  private readonly reported = new Set<string>();

  constructor(
    @Inject(ECDSA) private readonly ecdsa: Ecdsa,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    this.claims = new Counter({
      name: 'seedfleet_held_payments_total',
      help: 'Payments that only a held settlement knew: taken over (adopted), or why a held or sent one proves nothing; each fault is there from the start, so that the first one shows',
      labelNames: ['result'],
      registers: [registry],
    });
    for (const result of CLAIM_FAULTS) this.claims.inc({ result }, 0);
  }

  /** The latest payment beyond `above` that a held settlement proves; null where none does. */
  later(row: ChannelRow, channel: ChannelParameters, above: bigint, standing: Standing): ProvenPayment | null {
    let latest: ProvenPayment | null = null;
    for (const [holder, held] of holders(standing)) {
      if (held === null || held.raw === null) continue;
      const payment = this.read(held.raw, channel, latest?.k ?? above);
      if (payment === null) continue;
      if (!payment.ok) this.refused(row, holder, held.txid, payment.code);
      else if (row.kCap === null || payment.k > row.kCap) this.refused(row, holder, held.txid, 'held-beyond-cap');
      else latest = { k: payment.k, signature: payment.signature };
    }
    return latest;
  }

  /**
   * What a holder has kept against the last settlement, and what proves nothing: it may be given up. Null where there is no
   * such thing.
   * @param ofTower whether what the tower keeps is looked at
   */
  worthless(
    row: ChannelRow,
    channel: ChannelParameters,
    last: { readonly version: number; readonly k: bigint },
    standing: Standing,
    ofTower: boolean,
  ): string | null {
    for (const [holder, held] of holders(standing)) {
      if (held === null || held.raw === null || held.refused?.version !== last.version) continue;
      if (holder === 'tower' && !ofTower) continue;
      const payment = this.read(held.raw, channel, last.k);
      if (payment?.ok !== false) continue;
      this.refused(row, holder, held.txid, payment.code);
      return held.txid;
    }
    return null;
  }

  /**
   * Whether this was sent to settle the channel. The tower is believed what nodes take as it is: what it made up would never
   * be mined. chain-watcher has its bytes from us or from our own node.
   */
  isSettlement(row: ChannelRow, channel: ChannelParameters, holder: Holder, sent: NonNullable<HeldOrder['sent']>) {
    const { raw, txid } = sent;
    if (raw !== null && decodeTransaction(raw)?.getId() === txid && this.settles(raw, channel, holder)) return true;
    this.refused(row, holder, txid, 'sent-unproven');
    return false;
  }

  adopted(row: ChannelRow, { k }: ProvenPayment): void {
    this.claims.inc({ result: 'adopted' });
    const { id: channelId, infoHash, k: known } = row;
    this.logger.warn(
      { channelId, infoHash, k: k.toString(), known: known.toString(), reason: 'later-payment-held' },
      'a held settlement proves a later payment than the database knew',
    );
  }

  private settles(raw: Uint8Array, channel: ChannelParameters, holder: Holder): boolean {
    try {
      return holder === 'fleet' ? settledPayment(raw, channel) !== null : isWholeSettlement(raw, channel, this.ecdsa);
    } catch {
      return false;
    }
  }

  /** Whatever the bytes are, they end no look at a channel. */
  private read(raw: Uint8Array, channel: ChannelParameters, above: bigint): HeldPayment | null {
    try {
      // Nearly always it is an earlier payment: what its signatures are worth makes no difference.
      const k = settledPayment(raw, channel);
      if (k !== null && k <= above) return null;
      return heldPayment(raw, channel, this.ecdsa);
    } catch {
      return { ok: false, code: 'held-unreadable' };
    }
  }

  private refused({ id: channelId }: ChannelRow, holder: Holder, txid: string, code: ClaimFault): void {
    const name = `${channelId}:${holder}:${txid}:${code}`;
    if (this.reported.has(name)) return;
    this.reported.add(name);
    const [oldest] = this.reported;
    if (this.reported.size > MAX_REPORTED && oldest !== undefined) this.reported.delete(oldest);
    this.claims.inc({ result: code });
    this.logger.error({ channelId, holder, txid, code }, 'what is held of a channel proves nothing');
  }
}

const holders = ({ fleet, tower }: Standing): readonly (readonly [Holder, HeldOrder | null])[] => [
  ['fleet', fleet],
  ['tower', tower],
];
