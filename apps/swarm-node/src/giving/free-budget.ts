import type { Origin } from '../limits/origin.js';
import type { EffectiveOffer } from '../content/shelf.js';

export type FreeTier = NonNullable<EffectiveOffer['freeTier']>;

export type FreeVerdict =
  | 'given'
  /** The torrent's bytes of the day are given away. */
  | 'torrent-day'
  /** This peer has had its bytes of the day. */
  | 'peer-day'
  /** More peers were served today than can be remembered. */
  | 'too-many-peers';

const DAY_MS = 86_400_000;
/** Peers remembered in a day, over all torrents. A full table serves nobody new: forgetting would lift the caps. */
const MAX_PEERS = 50_000;

/** What was given away of a day, by torrent. */
export interface GivenOfDay {
  /** Days since 1970, UTC. */
  readonly day: number;
  readonly bytesByTorrent: Readonly<Record<string, number>>;
}

/** Counts what is given away per torrent and day, and per peer of it. */
export class FreeBudget {
  private day: number;
  private torrents = new Map<string, number>();
  private peers = new Map<string, number>();

  /**
   * @param wallMs wall clock: days are those of UTC.
   * @param earlier what an earlier process gave; it counts if the day is still the same.
   */
  constructor(
    private readonly wallMs: () => number,
    earlier?: GivenOfDay,
  ) {
    this.day = this.today();
    if (earlier?.day === this.day) this.torrents = new Map(Object.entries(earlier.bytesByTorrent));
  }

  /** What was given today, to outlive this process. Peers are not in it: the torrent's cap bounds them too. */
  get given(): GivenOfDay {
    return { day: this.day, bytesByTorrent: Object.fromEntries(this.torrents) };
  }

  /** Whether so many bytes may be given now. */
  verdict(infoHash: string, origin: Origin, tier: FreeTier, bytes: number): FreeVerdict {
    this.turnDay();
    if ((this.torrents.get(infoHash) ?? 0) + bytes > tier.bytesPerDay) return 'torrent-day';
    const peer = peerKey(infoHash, origin);
    if ((this.peers.get(peer) ?? 0) + bytes > tier.bytesPerPeerDay) return 'peer-day';
    return this.peers.size >= MAX_PEERS && !this.peers.has(peer) ? 'too-many-peers' : 'given';
  }

  /** Judges and, if the bytes may be given, counts them. */
  take(infoHash: string, origin: Origin, tier: FreeTier, bytes: number): FreeVerdict {
    const verdict = this.verdict(infoHash, origin, tier, bytes);
    if (verdict !== 'given') return verdict;
    const peer = peerKey(infoHash, origin);
    this.torrents.set(infoHash, (this.torrents.get(infoHash) ?? 0) + bytes);
    this.peers.set(peer, (this.peers.get(peer) ?? 0) + bytes);
    return 'given';
  }

  private turnDay(): void {
    const today = this.today();
    // A clock that is set back does not give the day again.
    if (today <= this.day) return;
    this.day = today;
    this.torrents = new Map();
    this.peers = new Map();
  }

  private today(): number {
    return Math.floor(this.wallMs() / DAY_MS);
  }
}

/** Addresses of IPv6 cost nothing, so there a subnet is one peer. */
function peerKey(infoHash: string, { address, subnet }: Origin): string {
  return `${infoHash}/${address.includes(':') ? subnet : address}`;
}
