import { addressKey, type PeerAddress } from '@seedfleet/bittorrent';
import type { Policy } from '@seedfleet/policy';

export interface Candidate {
  readonly infoHash: string;
  readonly address: PeerAddress;
  /** Known to speak JoyStream: it looked for others under the second DHT hash. */
  preferred: boolean;
  /** Not before; monotonic. */
  nextMs: number;
  failures: number;
  /** Being dialled, or connected. */
  busy: boolean;
}

/** Addresses to dial, in bounds: what does not fit is found again later. */
export class DialList {
  /** In the order in which they were last heard of. */
  private readonly candidates = new Map<string, Candidate>();
  private readonly perTorrent = new Map<string, number>();

  constructor(
    private readonly limits: Policy['dialling'],
    private readonly nowMs: () => number,
  ) {}

  get size(): number {
    return this.candidates.size;
  }

  /** Hears of an address, perhaps again. */
  add(infoHash: string, address: PeerAddress, preferred: boolean): void {
    const key = `${infoHash} ${addressKey(address)}`;
    const known = this.candidates.get(key);
    if (known !== undefined) {
      known.preferred ||= preferred;
      this.candidates.delete(key);
      this.candidates.set(key, known);
      return;
    }
    const count = this.perTorrent.get(infoHash) ?? 0;
    if (count >= this.limits.maxCandidatesPerTorrent && !this.forgetOne((other) => other.infoHash === infoHash)) return;
    if (this.candidates.size >= this.limits.maxCandidates && !this.forgetOne(() => true)) return;
    this.candidates.set(key, { infoHash, address, preferred, nextMs: 0, failures: 0, busy: false });
    this.perTorrent.set(infoHash, (this.perTorrent.get(infoHash) ?? 0) + 1);
  }

  /** Up to so many candidates that may be dialled now, preferred ones first; those wait longest come first. */
  due(most: number): Candidate[] {
    const now = this.nowMs();
    const due = [...this.candidates.values()].filter(({ busy, nextMs }) => !busy && nextMs <= now);
    return due.sort((a, b) => Number(b.preferred) - Number(a.preferred) || a.nextMs - b.nextMs).slice(0, most);
  }

  /** An attempt or a connection is over. The pause doubles with each, unless the connection was worth something. */
  finished(candidate: Candidate, worthwhile: boolean): void {
    candidate.busy = false;
    candidate.failures = worthwhile ? 0 : candidate.failures + 1;
    const { retryMs, retryMaxMs } = this.limits;
    candidate.nextMs = this.nowMs() + Math.min(retryMs * 2 ** Math.max(0, candidate.failures - 1), retryMaxMs);
  }

  /** Another try is no use: the address is our own, or answers for another torrent. It stays known, to be left alone. */
  exclude(candidate: Candidate): void {
    candidate.busy = false;
    candidate.nextMs = Number.POSITIVE_INFINITY;
  }

  forget(infoHash: string): void {
    for (const [key, candidate] of this.candidates) if (candidate.infoHash === infoHash) this.candidates.delete(key);
    this.perTorrent.delete(infoHash);
  }

  /** Makes room: an address that failed before, else nothing. */
  private forgetOne(among: (candidate: Candidate) => boolean): boolean {
    for (const [key, candidate] of this.candidates) {
      if (candidate.busy || candidate.failures === 0 || !among(candidate)) continue;
      this.candidates.delete(key);
      this.perTorrent.set(candidate.infoHash, (this.perTorrent.get(candidate.infoHash) ?? 1) - 1);
      return true;
    }
    return false;
  }
}
