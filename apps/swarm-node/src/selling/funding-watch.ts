import { channelFund, type fundingVerdict } from '@seedfleet/bus';
import type { ConnectionEvent, FundingVerdict } from '@seedfleet/exchange';
import type { ChannelParameters } from '@seedfleet/payment-channel';
import { faultPoint, type Logger } from '@seedfleet/service-kit';
import type { z } from 'zod';
import type { SellingServices } from './services.js';

type BusVerdict = z.output<typeof fundingVerdict>;

/** Verdicts come as events too, but events may be lost: asked again this often while more may be allowed… */
const POLL_WAITING_MS = 3_000;
/** … and this often once everything is. */
const POLL_SERVING_MS = 30_000;
const RETRY_MS = 1_000;

/** Learns how much may be served on a channel, from `ready` to its end, and until which median time past. */
export class FundingWatch {
  private version = -1;
  private last: BusVerdict | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly services: SellingServices,
    private readonly channelId: string,
    private readonly parameters: ChannelParameters,
    private readonly logger: Logger,
    private readonly dispatch: (event: ConnectionEvent) => void,
  ) {}

  /** No piece leaves at or after this median time past, seconds; undefined while unknown. */
  get deadlineMtp(): number | undefined {
    return this.last?.deadlineMtp ?? undefined;
  }

  start(): void {
    void this.ask();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** A verdict, by reply or by event; older and repeated ones change nothing. */
  onVerdict(verdict: BusVerdict): void {
    if (this.stopped || verdict.version <= this.version) return;
    const { kind, code, detail, deadlineMtp, allowanceBytes } = verdict;
    this.version = verdict.version;
    this.last = verdict;
    this.services.metrics.verdicts.inc({ kind, code });
    this.logger.info({ kind, code, detail, deadlineMtp, allowanceBytes }, 'funding verdict');
    this.dispatch(toEvent(verdict));
    faultPoint('node.verdict.after-apply');
  }

  private async ask(): Promise<void> {
    const { fundingOutpoint, fundingValueSat, buyerPublicKey, buyerKeyHash } = this.parameters;
    faultPoint('node.ready.before-request');
    const reply = await this.services.bus.request(channelFund, {
      nodeId: this.services.nodeId,
      channelId: this.channelId,
      valueSat: fundingValueSat,
      txid: Buffer.from(fundingOutpoint.txid).toString('hex'),
      vout: fundingOutpoint.index,
      buyerPublicKey: new Uint8Array(buyerPublicKey),
      buyerKeyHash: new Uint8Array(buyerKeyHash),
    });
    faultPoint('node.ready.after-reply');
    if (this.stopped) return;
    if (reply.ok) this.onVerdict(reply.value);
    else this.logger.warn({ code: reply.code }, 'no funding verdict');
    this.timer = setTimeout(() => void this.ask(), this.pauseMs(reply.ok));
  }

  private pauseMs(answered: boolean): number {
    if (!answered) return RETRY_MS;
    return this.last?.kind === 'all' ? POLL_SERVING_MS : POLL_WAITING_MS;
  }
}

/** What ends a channel for no fault of its funding ends it as our own deadline does: the buyer is blamed for nothing. */
function toEvent(verdict: BusVerdict): ConnectionEvent {
  const { kind, code } = verdict;
  if (kind === 'refuse' && (code === 'deadline' || code === 'operator')) return { type: 'end-channel', reason: code };
  return { type: 'funding-verdict', verdict: toExchange(verdict) };
}

function toExchange(verdict: BusVerdict): FundingVerdict {
  switch (verdict.kind) {
    case 'wait':
      return { kind: 'wait' };
    case 'allowance':
      return { kind: 'serve-bytes', allowanceBytes: verdict.allowanceBytes };
    case 'all':
      return { kind: 'serve-all' };
    case 'refuse':
      return { kind: 'refuse', reason: verdict.code };
  }
}
