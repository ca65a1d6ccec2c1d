import { randomUUID } from 'node:crypto';
import type { CloseReason, Peer } from '@seedfleet/bittorrent';
import { saleIdOf, type fundingVerdict } from '@seedfleet/bus';
import {
  connectionStatus,
  createConnection,
  stepConnection,
  type ConnectionEvent,
  type ConnectionState,
  type ConnectionStatus,
  type Effect,
  type HostReason,
} from '@seedfleet/exchange';
import { faultPoint, type Logger } from '@seedfleet/service-kit';
import { encodeExtendedHandshake, encodeFrame, MESSAGE_ID } from '@seedfleet/wire';
import type { z } from 'zod';
import type { TorrentOnSale } from '../content/shelf.js';
import { BuyerTrack } from '../demand/buyer-track.js';
import { foreignHandshake, isForeign } from '../peers/foreign-ids.js';
import { Giving } from '../giving/giving.js';
import { costOfClose, isBlameless } from '../limits/costs.js';
import type { Origin } from '../limits/origin.js';
import { UnreadWatch } from '../limits/unread-watch.js';
import { ChannelOpening } from './channel-opening.js';
import { FundingWatch } from './funding-watch.js';
import { idsWith } from './message-frames.js';
import { Offering } from './offering.js';
import { outOfPatience } from './patience.js';
import { PieceDelivery } from './piece-delivery.js';
import type { SellingServices } from './services.js';
import { answerSpeedTest } from './speed-test-answer.js';

type EffectOf<Type extends Effect['type']> = Extract<Effect, { type: Type }>;

/** Requests that a peer may keep open, announced as `reqq`: what the exchange queues. */
const REQUEST_QUEUE = 16;
/** Characters of a client's name that are logged. */
const MAX_CLIENT = 64;

export interface SellerConnectionHost {
  readonly torrent: TorrentOnSale;
  readonly origin: Origin;
  /** Whether pieces may leave now. */
  readonly mayServe: () => boolean;
  /** A channel began to be served, or ended. */
  readonly onChannel: (channelId: string, serving: boolean) => void;
  /** A piece of so many bytes was paid. */
  readonly onSold: (bytes: number) => void;
  readonly onClosed: () => void;
}

/** One peer and the seller machine that talks to it: events in, effects carried out. */
export class SellerConnection {
  readonly logger: Logger;
  private readonly machine: ConnectionState;
  private readonly opening: ChannelOpening;
  private readonly delivery: PieceDelivery;
  private readonly offering: Offering;
  private readonly giving: Giving;
  private readonly demand: BuyerTrack;
  private funding: FundingWatch | undefined;
  private servedChannelId: string | undefined;
  private durablyPaid = 0;
  private readonly moments = { joinedAtMs: 0, requestedAtMs: 0, movedAtMs: 0 };
  private readonly events: ConnectionEvent[] = [];
  private stepping = false;
  private broken = false;
  private wasInSession = false;
  private paid = 0;
  private readonly unread: UnreadWatch;
  private readonly sinceMs: number;

  constructor(
    private readonly services: SellingServices,
    private readonly peer: Peer,
    private readonly host: SellerConnectionHost,
  ) {
    const { metainfo, infoHash } = host.torrent;
    const saleId = saleIdOf(randomUUID());
    this.logger = services.logger.child({ saleId, infoHash, peer: `${peer.remoteAddress}:${peer.remotePort}` });
    this.machine = createConnection({
      network: services.network,
      torrent: {
        pieces: metainfo.pieceCount,
        pieceLengthBytes: metainfo.pieceLengthBytes,
        totalBytes: metainfo.totalLengthBytes,
      },
      peer: { peerId: peer.remotePeerId },
      ecdsa: services.ecdsa,
      seller: {
        window: services.policy.window,
        maxQueuedRequests: services.policy.maxQueuedRequests,
        maxSpeedTestBytes: services.policy.speedTest.maxBytes,
        holdSell: true,
      },
    });
    this.sinceMs = services.nowMs();
    this.unread = new UnreadWatch(services.policy);
    const dispatch = (event: ConnectionEvent): void => this.dispatch(event);
    this.opening = new ChannelOpening(services, {
      saleId,
      torrent: host.torrent,
      origin: host.origin,
      peerPort: peer.remotePort,
      client: () => connectionStatus(this.machine).client ?? '',
      logger: this.logger,
      dispatch,
    });
    this.offering = new Offering(services.quotes, host.torrent, {
      role: () => this.status().role,
      dispatch,
      onStale: () => this.close('stale-quote'),
    });
    this.demand = new BuyerTrack(services.demand, infoHash, () => host.torrent.offer.priceSat);
    this.giving = new Giving(services, host.torrent, host.origin, peer);
    const onProgress = (): void => void (this.moments.movedAtMs = services.nowMs());
    this.delivery = new PieceDelivery(services, host.torrent, host.origin, peer, dispatch, onProgress);
  }

  /** Begins to listen, announces everything, and offers to sell. */
  start(): void {
    this.peer.on('extendedHandshake', (payload) => this.dispatch({ type: 'received', id: 0, payload }));
    this.peer.on('extended', (id, payload) => this.onMessage(id, payload));
    this.peer.on('closed', (reason) => this.onPeerClosed(reason));
    this.giving.start();
    this.peer.start();
    if (!this.peer.supportsExtended) return;
    this.dispatch({ type: 'start' });
    this.dispatch({ type: 'sell' });
  }

  get infoHash(): string {
    return this.host.torrent.infoHash;
  }

  status(): ConnectionStatus {
    return connectionStatus(this.machine);
  }

  /** Tells the machine something. Events that arise from effects wait until the step is done. */
  dispatch(event: ConnectionEvent): void {
    if (this.broken) return;
    this.events.push(event);
    if (this.stepping) return;
    this.stepping = true;
    try {
      for (let next = this.events.shift(); next !== undefined; next = this.events.shift()) {
        const { effects } = stepConnection(this.machine, next);
        this.demand.onStep(next, effects);
        for (const effect of effects) this.carryOut(effect);
      }
    } catch (fault) {
      this.onFault(fault);
    }
    this.stepping = false;
  }

  /** Payments up to `k` are durable. */
  onStored(k: number): void {
    for (let paid = this.durablyPaid; paid < k; paid++) this.services.sources.credit(this.host.origin);
    this.durablyPaid = k;
    this.delivery.stored(k);
    this.dispatch({ type: 'payments-stored', paymentNumber: k });
  }

  onVerdict(verdict: z.output<typeof fundingVerdict>): void {
    this.funding?.onVerdict(verdict);
  }

  /** The fee or the offer may have changed. */
  onNewTerms(): void {
    this.offering.onNewTerms();
    this.giving.onTick();
  }

  /** Ends what is overdue: deadlines by the chain's clock, patience by ours. */
  onTick(medianTimePast: number | undefined): void {
    const deadlineMtp = this.funding?.deadlineMtp;
    if (deadlineMtp !== undefined && medianTimePast !== undefined && medianTimePast >= deadlineMtp) {
      return this.dispatch({ type: 'end-channel', reason: 'deadline' });
    }
    const { pieceLengthBytes } = this.host.torrent.metainfo;
    const now = this.services.nowMs();
    this.giving.onTick();
    if (this.unread.isStuck(this.peer.queuedBytes, now)) {
      this.services.sources.charge(this.host.origin, 'unread');
      return this.close('peer-not-reading');
    }
    const reason = outOfPatience(this.status(), this.moments, pieceLengthBytes, now, this.services.policy);
    if (reason !== undefined) this.close(reason);
  }

  /** Whether this peer has shown no sign, after a while, that it will ever buy. */
  isExpendable(graceMs: number): boolean {
    return !this.status().inSession && this.services.nowMs() - this.sinceMs > graceMs;
  }

  /** Ends the connection now, without waiting for what has not left. */
  drop(code: string): void {
    this.services.metrics.connectionsClosed.inc({ code });
    this.peer.close();
  }

  /** Ends a running channel, if there is one, and the connection. */
  close(reason: HostReason): void {
    this.dispatch({ type: this.servedChannelId === undefined ? 'close' : 'end-channel', reason });
  }

  private onMessage(id: number, payload: Uint8Array): void {
    if (isForeign(id)) return;
    this.dispatch({ type: 'received', id, payload });
    if (id === MESSAGE_ID.request_full_piece && this.durablyPaid > 0) this.delivery.expect(payload);
  }

  private carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'send-handshake':
        return this.sendHandshake(effect.kind);
      case 'send':
        return this.send(effect);
      case 'close':
        return this.onClose(effect);
      case 'note':
        return this.services.metrics.exchangeNotes.inc({ code: effect.code });
      case 'session-joined':
        return this.onSession();
      case 'peer-mode':
        return this.offering.onPeerMode(effect);
      case 'sell-held':
        return this.offering.hold();
      case 'quote-wanted':
        return this.offering.onWanted(effect.buyerTerms);
      case 'speed-test-wanted':
        return this.demand.onSpeedTest(
          answerSpeedTest(this.services, this.peer, this.host.origin, effect.id, effect.sizeBytes, this.logger),
        );
      case 'join-wanted':
        return void this.opening.open(effect);
      case 'join-lapsed':
        return this.opening.lapsed(effect);
      case 'funding-announced':
        return this.onFundingAnnounced(effect);
      case 'load-piece':
        this.moments.requestedAtMs = this.services.nowMs();
        return this.delivery.load(effect);
      case 'deliver-piece':
        return this.delivery.deliver(effect);
      case 'discard-piece':
        return this.delivery.discard(effect.entry);
      case 'store-payment':
        return this.onPayment(effect);
      case 'channel-ended':
        return this.onChannelEnded(effect);
      default:
        // A session that is left needs nothing here; a buyer's effects never come from a seller.
        return;
    }
  }

  /** Where the story of a sale begins. Once: a peer may come and go as often as it likes. */
  private onSession(): void {
    if (this.wasInSession) return;
    this.wasInSession = true;
    const { direction, protection } = this.peer;
    const { client } = connectionStatus(this.machine);
    this.logger.info({ client: client?.slice(0, MAX_CLIENT), direction, protection }, 'peer speaks JoyStream');
  }

  private sendHandshake(kind: 'install' | 'uninstall'): void {
    // The network is told so that a buyer of another chain need not find out by a refused payment (hazard H15).
    const foreign = foreignHandshake(this.host.torrent.metainfo);
    const topLevel = {
      ...foreign.topLevel,
      v: 'Seedfleet 0.1.0',
      p: this.services.peerPort,
      reqq: REQUEST_QUEUE,
      network: this.services.network,
    };
    this.peer.sendExtendedHandshake(encodeExtendedHandshake({ kind, topLevel, foreignIds: foreign.foreignIds }));
  }

  private send({ id, message }: EffectOf<'send'>): void {
    if (message.type === 'sell') this.offering.onAnnounced(message.terms);
    if (message.type === 'joining_contract') this.moments.joinedAtMs = this.services.nowMs();
    const frame = encodeFrame(message, idsWith(message.type, id));
    this.peer.sendFrame(frame.header, frame.body);
    if (message.type === 'joining_contract') faultPoint('node.join.after-send');
  }

  private onClose({ code, reason, penalise }: EffectOf<'close'>): void {
    this.logger.info({ code, reason, penalise, channelId: this.servedChannelId }, 'closing the connection');
    this.services.metrics.connectionsClosed.inc({ code: reason ?? code });
    if (penalise) this.services.sources.charge(this.host.origin, 'violation');
    if (code === 'funding-refused') this.services.sources.charge(this.host.origin, 'refusedFunding');
    void this.peer.finish();
  }

  private onFundingAnnounced({ parameters }: EffectOf<'funding-announced'>): void {
    const { channelId } = this.opening;
    if (channelId === undefined) throw new Error('a channel is funded that was never opened');
    const now = this.services.nowMs();
    this.opening.funded();
    this.servedChannelId = channelId;
    Object.assign(this.moments, { requestedAtMs: now, movedAtMs: now });
    const logger = this.logger.child({ channelId });
    const txid = Buffer.from(parameters.fundingOutpoint.txid).toString('hex');
    const vout = parameters.fundingOutpoint.index;
    logger.info({ txid, vout, valueSat: parameters.fundingValueSat.toString() }, 'funding announced');
    if (!this.host.mayServe()) this.dispatch({ type: 'pause-serving' });
    this.host.onChannel(channelId, true);
    this.funding = new FundingWatch(this.services, channelId, parameters, logger, (event) => this.dispatch(event));
    this.funding.start();
  }

  private onPayment({ paymentNumber, signature }: EffectOf<'store-payment'>): void {
    if (this.servedChannelId === undefined) return;
    this.moments.movedAtMs = this.services.nowMs();
    this.paid = paymentNumber;
    this.host.onSold(this.delivery.bytesOf(paymentNumber));
    faultPoint('node.payment.before-queue');
    this.services.payments.pay(this.servedChannelId, paymentNumber, signature);
    faultPoint('node.payment.after-queue');
  }

  private onChannelEnded(effect: EffectOf<'channel-ended'>): void {
    const channelId = this.servedChannelId;
    this.funding?.stop();
    this.funding = undefined;
    this.delivery.end();
    if (channelId === undefined) return;
    this.servedChannelId = undefined;
    const { reason, finalPayment, requested, delivered, deliveredBytes } = effect;
    this.logger.info(
      { channelId, reason, payments: finalPayment, requested, delivered, deliveredBytes },
      'channel ended',
    );
    this.services.metrics.channelsEnded.inc({ reason });
    const unpaidBytes = (delivered - finalPayment) * this.host.torrent.metainfo.pieceLengthBytes;
    if (!isBlameless(reason)) this.services.sources.chargeUnpaid(this.host.origin, unpaidBytes);
    faultPoint('node.end.before-queue');
    this.services.payments.end(channelId, finalPayment, reason);
    faultPoint('node.end.after-queue');
    this.host.onChannel(channelId, false);
  }

  /** A fault in the program costs this one channel, which ends with what it was paid, and never the node. */
  private onFault(fault: unknown): void {
    const channelId = this.servedChannelId;
    this.broken = true;
    this.servedChannelId = undefined;
    const stack = fault instanceof Error ? fault.stack : String(fault);
    this.logger.error({ code: 'internal', channelId, stack }, 'fault in the exchange; the connection is closed');
    this.services.metrics.connectionsClosed.inc({ code: 'internal' });
    this.funding?.stop();
    this.delivery.end();
    if (channelId !== undefined) {
      this.services.payments.end(channelId, this.paid, 'internal');
      this.host.onChannel(channelId, false);
    }
    this.peer.close();
  }

  private onPeerClosed(reason: CloseReason): void {
    this.demand.onClosed();
    this.offering.stop();
    this.giving.stop();
    // The transport stopped reading at the header; the exchange has its own name for that.
    if (reason === 'extended-too-large') this.dispatch({ type: 'received-oversized', id: 1 });
    if (reason !== 'local') this.services.metrics.connectionsClosed.inc({ code: reason });
    const cost = costOfClose(reason);
    if (cost !== undefined) this.services.sources.charge(this.host.origin, cost);
    this.dispatch({ type: 'disconnected' });
    this.host.onClosed();
  }
}
