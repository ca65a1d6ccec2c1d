/** What a node still owes the books about one channel. */
export interface ChannelLog {
  readonly channelId: string;
  /** The highest verified payment; undefined before the first and once it is committed. */
  newest: { readonly k: number; readonly signature: Uint8Array } | undefined;
  end: { readonly k: number; readonly reason: string } | undefined;
  /** Sequence of the message that carries all of this; undefined while something is not acknowledged. */
  storedSeq: number | undefined;
  /** When the oldest unacknowledged part came up; undefined when everything is acknowledged. */
  waitingSinceMs: number | undefined;
}

/**
 * The newest payment and the end of every channel that the intake has not committed yet, and the queue of those to be
 * sent. Bounded by the channels of the node: one entry each, and no channel opens while the books don't commit.
 */
export class PaymentLog {
  private readonly channels = new Map<string, ChannelLog>();
  /** To be sent, in the order in which they moved. */
  private readonly queue = new Set<ChannelLog>();

  constructor(private readonly nowMs: () => number) {}

  get retained(): number {
    return this.channels.size;
  }

  get queued(): number {
    return this.queue.size;
  }

  pay(channelId: string, k: number, signature: Uint8Array): void {
    const channel = this.channelOf(channelId);
    if (channel.newest !== undefined && k < channel.newest.k) throw new RangeError(`payment ${k} goes back`);
    channel.newest = { k, signature };
    this.enqueue(channel);
  }

  end(channelId: string, k: number, reason: string): void {
    const channel = this.channelOf(channelId);
    channel.end ??= { k, reason };
    this.enqueue(channel);
  }

  takeQueued(): ChannelLog | undefined {
    for (const channel of this.queue) {
      this.queue.delete(channel);
      return channel;
    }
    return undefined;
  }

  /** A message with payment `k`, and the end where `withEnd`, was acknowledged. Returns how long it had waited, ms. */
  stored(channel: ChannelLog, k: number, withEnd: boolean, seq: number): number {
    // A later message that was acknowledged first carried all that there is.
    if (channel.storedSeq !== undefined) return 0;
    const waitedMs = this.nowMs() - (channel.waitingSinceMs ?? this.nowMs());
    const complete = (channel.newest?.k ?? 0) === k && (channel.end === undefined || withEnd);
    if (complete) {
      channel.storedSeq = seq;
      channel.waitingSinceMs = undefined;
      this.queue.delete(channel);
    } else {
      channel.waitingSinceMs = this.nowMs();
    }
    return waitedMs;
  }

  /** Forgets what the books hold. */
  commit(committedSeq: bigint): void {
    const committed = Number(committedSeq);
    for (const channel of this.channels.values()) {
      if (channel.storedSeq === undefined || channel.storedSeq > committed) continue;
      this.channels.delete(channel.channelId);
    }
  }

  /** Back into the queue after a failure, but for those of which a later message was acknowledged. */
  requeue(channels: readonly ChannelLog[]): void {
    for (const channel of channels) if (channel.storedSeq === undefined) this.queue.add(channel);
  }

  requeueRetained(): void {
    for (const channel of this.channels.values()) this.enqueue(channel);
  }

  oldestWaitMs(): number {
    let oldest = this.nowMs();
    for (const channel of this.channels.values()) oldest = Math.min(oldest, channel.waitingSinceMs ?? oldest);
    return this.nowMs() - oldest;
  }

  waitingLongerThan(ms: number): string[] {
    const before = this.nowMs() - ms;
    return [...this.channels.values()]
      .filter(({ waitingSinceMs }) => waitingSinceMs !== undefined && waitingSinceMs < before)
      .map(({ channelId }) => channelId);
  }

  private enqueue(channel: ChannelLog): void {
    channel.storedSeq = undefined;
    channel.waitingSinceMs ??= this.nowMs();
    this.queue.add(channel);
  }

  private channelOf(channelId: string): ChannelLog {
    const known = this.channels.get(channelId);
    if (known !== undefined) return known;
    const fresh: ChannelLog = {
      channelId,
      newest: undefined,
      end: undefined,
      storedSeq: undefined,
      waitingSinceMs: undefined,
    };
    this.channels.set(channelId, fresh);
    return fresh;
  }
}
