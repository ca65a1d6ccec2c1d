import { randomUUID } from 'node:crypto';
import { channelOpen, idWithinSale } from '@seedfleet/bus';
import type { ConnectionEvent, SellerEffect } from '@seedfleet/exchange';
import { faultPoint, type Logger } from '@seedfleet/service-kit';
import type { TorrentOnSale } from '../content/shelf.js';
import { isBlameless } from '../limits/costs.js';
import type { Origin } from '../limits/origin.js';
import type { SellingServices } from './services.js';
import { buyerTermsToBus, sellerTermsFromBus, sellerTermsToBus } from './terms.js';

type JoinWanted = Extract<SellerEffect, { type: 'join-wanted' }>;
type JoinLapsed = Extract<SellerEffect, { type: 'join-lapsed' }>;

/** A buyer waits for the answer; the broker may need a moment to find the intake again. */
const MAX_TRIES = 4;
const RETRY_MS = 500;

interface Attempt {
  readonly invitation: number;
  channelId: string | undefined;
  holdsPlace: boolean;
}

export interface OpeningHost {
  /** What all ids of this connection's sale begin with. */
  readonly saleId: string;
  readonly torrent: TorrentOnSale;
  readonly origin: Origin;
  readonly peerPort: number;
  readonly client: () => string;
  readonly logger: Logger;
  readonly dispatch: (event: ConnectionEvent) => void;
}

/** From an invitation to a joined channel: asks the intake, which alone holds keys and decides. */
export class ChannelOpening {
  private attempt: Attempt | undefined;

  constructor(
    private readonly services: SellingServices,
    private readonly host: OpeningHost,
  ) {}

  /** The channel that was opened for this connection, if one was. */
  get channelId(): string | undefined {
    return this.attempt?.channelId;
  }

  /** Carries out `join-wanted`; the answer comes as an event. */
  async open(wanted: JoinWanted): Promise<void> {
    const attempt: Attempt = { invitation: wanted.invitation, channelId: undefined, holdsPlace: false };
    this.attempt = attempt;
    const limit = this.limitFor();
    if (limit !== undefined) return this.refuse(attempt, limit);
    attempt.holdsPlace = true;
    if (this.services.sources.standing(this.host.origin) === 'throttled') await this.pause();
    const request = this.requestFor(wanted);
    for (let tries = 1; this.attempt === attempt; tries++) {
      faultPoint('node.open.before-request');
      const reply = await this.services.bus.request(channelOpen, request);
      faultPoint('node.open.after-reply');
      if (reply.ok && reply.value.opened) return this.accept(attempt, reply.value);
      if (reply.ok && !reply.value.opened) {
        const { code, detail, revisedTerms } = reply.value;
        this.host.logger.info({ code, detail }, 'join refused');
        return this.refuse(attempt, code, revisedTerms === null ? undefined : sellerTermsFromBus(revisedTerms));
      }
      const code = reply.ok ? 'internal' : reply.code;
      this.host.logger.warn({ code, tries }, 'intake did not answer a join');
      if (tries >= MAX_TRIES) return this.refuse(attempt, code);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** The invitation or join came to nothing: the intake forgets the channel. */
  lapsed(effect: JoinLapsed): void {
    const attempt = this.attempt;
    if (attempt?.invitation !== effect.invitation) return;
    this.attempt = undefined;
    this.leavePlace(attempt);
    // Asking costs a channel at the intake, whether or not its answer has come.
    if (!isBlameless(effect.reason)) this.services.sources.charge(this.host.origin, 'abandonedJoin');
    if (attempt.channelId !== undefined) this.services.payments.end(attempt.channelId, 0, effect.reason);
  }

  /** The buyer named its funding: it waits no longer. */
  funded(): void {
    if (this.attempt !== undefined) this.leavePlace(this.attempt);
  }

  private limitFor(): string | undefined {
    const { sources, joins } = this.services;
    const { origin } = this.host;
    return sources.standing(origin) === 'banned' ? 'source-banned' : joins.take(origin);
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.services.policy.abuse.throttledPauseMs));
  }

  private accept(
    attempt: Attempt,
    opened: { readonly channelId: string; readonly sellerPublicKey: Uint8Array; readonly sellerKeyHash: Uint8Array },
  ): void {
    const { channelId, sellerPublicKey, sellerKeyHash } = opened;
    if (this.attempt !== attempt) return this.services.payments.end(channelId, 0, 'join-lapsed');
    attempt.channelId = channelId;
    // From here on a crash would leave a join that waits for its funding for hours, and counts against its origin.
    this.services.payments.begin(channelId);
    this.services.metrics.channelsOpened.inc();
    this.host.logger.info({ channelId }, 'channel opened');
    const { invitation } = attempt;
    this.host.dispatch({ type: 'join-accepted', invitation, sellerPublicKey, sellerKeyHash });
  }

  private refuse(attempt: Attempt, code: string, revisedTerms?: ReturnType<typeof sellerTermsFromBus>): void {
    this.services.metrics.joinsRefused.inc({ code });
    this.leavePlace(attempt);
    if (this.attempt !== attempt) return;
    this.attempt = undefined;
    const { invitation } = attempt;
    this.host.dispatch({ type: 'join-refused', invitation, ...(revisedTerms === undefined ? {} : { revisedTerms }) });
  }

  private leavePlace(attempt: Attempt): void {
    if (!attempt.holdsPlace) return;
    attempt.holdsPlace = false;
    this.services.joins.leave(this.host.origin);
  }

  private requestFor(wanted: JoinWanted) {
    const { metainfo, infoHash } = this.host.torrent;
    const { address, subnet } = this.host.origin;
    return {
      joinId: idWithinSale(this.host.saleId, randomUUID()),
      nodeId: this.services.nodeId,
      infoHash,
      pieceCount: metainfo.pieceCount,
      pieceLength: metainfo.pieceLengthBytes,
      totalBytes: metainfo.totalLengthBytes,
      termsIndex: wanted.index,
      terms: sellerTermsToBus(wanted.sellerTerms),
      buyerTerms: buyerTermsToBus(wanted.buyerTerms),
      peer: { address, subnet, port: this.host.peerPort, client: this.host.client().slice(0, 64) },
    };
  }
}
