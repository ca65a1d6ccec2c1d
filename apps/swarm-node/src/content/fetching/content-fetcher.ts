import { stat } from 'node:fs/promises';
import {
  ContentSource,
  ContentWriter,
  fetchContent,
  isLasting,
  locationBelow,
  PieceSet,
  readSourceAddress,
  verifyContent,
  type Content,
  type ContentError,
  type ContentLocation,
  type PieceLoader,
  type SourceError,
  type SourceSettings,
} from '@seedfleet/bittorrent';
import type { Logger } from '@seedfleet/service-kit';
import type { NodeMetrics } from '../../metrics/node-metrics.js';
import { contentFingerprint } from '../fingerprint.js';
import type { Shelf, ShelvedTorrent } from '../shelf.js';
import type { Verifier } from '../verifier.js';
import type { FetchedContent } from './fetched-content.js';

export interface ContentFetcherParts {
  readonly shelf: Shelf;
  readonly fetched: FetchedContent;
  readonly verifier: Verifier;
  readonly loader: PieceLoader;
  readonly source: SourceSettings;
  /** Torrents fetched at the same time. */
  readonly atOnce: number;
  readonly logger: Logger;
  readonly metrics: NodeMetrics;
}

/** Progress changes with every piece; this often is enough for people. */
const PROGRESS_INTERVAL_MS = 500;
/** Pause before a fetch goes on after a problem that passes; twice as long each time without a new piece. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** Where somebody has to change something: a new link, more room. */
const LASTING_PAUSE_MS = 300_000;
const CORRUPT_TRIES = 3;

interface Run {
  readonly source: string;
  readonly ending: AbortController;
  readonly done: Promise<void>;
}

type Problem =
  SourceError | ContentError | { readonly code: 'no-room'; readonly detail: string; readonly piece?: number };

/** Brings content from its addresses to this node's disk, some torrents at a time, and puts what is complete on sale. */
export class ContentFetcher {
  private readonly waiting = new Set<string>();
  private readonly runs = new Map<string, Run>();
  private readonly pauses = new Map<string, NodeJS.Timeout>();
  /** Runs that brought nothing since the last that did. */
  private readonly tries = new Map<string, number>();
  /** Wait for room. */
  private readonly roomless = new Set<string>();
  private stopped = false;

  constructor(private readonly parts: ContentFetcherParts) {
    parts.shelf.listen({
      changed: () => undefined,
      removed: (infoHash) => this.abandon(infoHash),
    });
  }

  /** Fetches what is missing of a torrent, in its turn; one that is being fetched from the same address goes on. */
  enqueue(infoHash: string): void {
    const torrent = this.parts.shelf.get(infoHash);
    if (this.stopped || torrent?.source === undefined) return;
    const run = this.runs.get(infoHash);
    if (run !== undefined) {
      if (run.source !== torrent.source) run.ending.abort();
      return;
    }
    clearTimeout(this.pauses.get(infoHash));
    this.pauses.delete(infoHash);
    this.roomless.delete(infoHash);
    this.waiting.add(infoHash);
    if (torrent.readiness !== 'fetching') this.parts.shelf.update(infoHash, { readiness: 'fetching', detail: '' });
    this.next();
  }

  /** Something was let go of: whatever waits for room tries again. */
  roomMade(): void {
    for (const infoHash of [...this.roomless]) this.enqueue(infoHash);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.waiting.clear();
    for (const pause of this.pauses.values()) clearTimeout(pause);
    for (const { ending } of this.runs.values()) ending.abort();
    await Promise.all([...this.runs.values()].map(({ done }) => done));
  }

  /** Resolves once nothing of this torrent is written any more. */
  async ended(infoHash: string): Promise<void> {
    await this.runs.get(infoHash)?.done;
  }

  private abandon(infoHash: string): void {
    this.waiting.delete(infoHash);
    clearTimeout(this.pauses.get(infoHash));
    this.pauses.delete(infoHash);
    this.tries.delete(infoHash);
    this.roomless.delete(infoHash);
    this.runs.get(infoHash)?.ending.abort();
  }

  private next(): void {
    for (const infoHash of this.waiting) {
      if (this.runs.size >= this.parts.atOnce || this.stopped) return;
      this.waiting.delete(infoHash);
      const torrent = this.parts.shelf.get(infoHash);
      if (torrent?.source === undefined) continue;
      const ending = new AbortController();
      const done = this.run(torrent, torrent.source, ending.signal)
        .catch((failure: unknown) => this.report(infoHash, { code: 'write-failed', detail: String(failure) }))
        .finally(() => {
          this.runs.delete(infoHash);
          this.parts.fetched.expect(infoHash, 0);
          // Told another address meanwhile.
          const now = this.parts.shelf.get(infoHash)?.source;
          if (ending.signal.aborted && now !== undefined) this.enqueue(infoHash);
          this.next();
        });
      this.runs.set(infoHash, { source: torrent.source, ending, done });
    }
  }

  private async run(torrent: ShelvedTorrent, sourceText: string, signal: AbortSignal): Promise<void> {
    const { infoHash, metainfo: lazy } = torrent;
    const { fetched, verifier, metrics, logger } = this.parts;
    const metainfo = lazy?.whole;
    if (lazy === undefined || metainfo === undefined) return;
    const base = readSourceAddress(sourceText);
    if (base === undefined) return this.report(infoHash, { code: 'address-invalid', detail: '' });
    const refused = await fetched.reserve(infoHash, metainfo.totalLengthBytes);
    metrics.fetchedHeldBytes.set(fetched.heldBytes);
    if (refused !== undefined) return this.report(infoHash, { code: 'no-room', detail: refused });
    const location = locationBelow(metainfo, fetched.dataOf(infoHash));
    const content: Content = { metainfo, location };
    const have = await this.onDisk(content, signal);
    fetched.expect(infoHash, metainfo.totalLengthBytes * (1 - have.count / have.size));
    const writer = await ContentWriter.open(content);
    if (!writer.ok) return this.report(infoHash, writer.error);
    const before = have.count;
    const progress = this.progressOf(infoHash, have);
    const source = new ContentSource(metainfo, base, this.parts.source);
    const problem = await fetchContent(content, have, source, writer.value, {
      signal,
      onPiece: (bytes) => {
        metrics.fetchedBytes.inc(bytes);
        fetched.arrived(infoHash, bytes);
        progress();
      },
    });
    source.close();
    const unsaved = await writer.value.close();
    if (signal.aborted) return;
    const failed = problem ?? unsaved;
    if (failed !== undefined) return this.report(infoHash, failed, have.count > before);
    logger.info({ infoHash, bytes: metainfo.totalLengthBytes }, 'content fetched and verified');
    this.tries.delete(infoHash);
    verifier.accept(lazy, location, await contentFingerprint(location));
  }

  /** Pieces that an earlier run left: read and hashed, since a crash may have lost the last of them. */
  private async onDisk(content: Content, signal: AbortSignal): Promise<PieceSet> {
    const nothing = new PieceSet(content.metainfo.pieceCount);
    if (!(await holdsAnything(content.location))) return nothing;
    return (await verifyContent(content, this.parts.loader, { signal })).good;
  }

  private progressOf(infoHash: string, have: PieceSet): () => void {
    const { shelf } = this.parts;
    const tell = (): void =>
      shelf.update(infoHash, { readiness: 'fetching', progress: have.count / have.size, detail: '' });
    let toldMs = performance.now();
    tell();
    return () => {
      if (performance.now() - toldMs < PROGRESS_INTERVAL_MS) return;
      toldMs = performance.now();
      tell();
    };
  }

  /** Tells what is wrong and tries again later: soon where time may help, else now and then. */
  private report(infoHash: string, problem: Problem, advanced = false): void {
    const { shelf, logger, metrics } = this.parts;
    const torrent = shelf.get(infoHash);
    if (torrent === undefined || this.stopped) return;
    const tries = advanced ? 1 : (this.tries.get(infoHash) ?? 0) + 1;
    this.tries.set(infoHash, tries);
    // Bytes may be wrong once on their way; a source that gives them again and again is wrong itself.
    const mayPass = problem.code === 'source-corrupt' && tries <= CORRUPT_TRIES;
    const lasting = (isLasting(problem) && !mayPass) || problem.code === 'no-room';
    const piece = problem.piece === undefined ? '' : `, piece ${problem.piece}`;
    const detail = `${problem.code}${piece}: ${problem.detail ?? ''}`.slice(0, 300);
    metrics.fetchFailures.inc({ code: problem.code });
    logger[lasting ? 'error' : 'warn']({ infoHash, code: problem.code, piece: problem.piece }, detail);
    const pauseMs = lasting ? LASTING_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1));
    shelf.update(infoHash, { readiness: lasting ? (READINESS[problem.code] ?? 'failed') : 'fetching', detail });
    if (problem.code === 'no-room') this.roomless.add(infoHash);
    clearTimeout(this.pauses.get(infoHash));
    this.pauses.set(
      infoHash,
      setTimeout(() => this.enqueue(infoHash), pauseMs),
    );
  }
}

const READINESS: Partial<Record<Problem['code'], ShelvedTorrent['readiness']>> = {
  'source-refused': 'missing',
  'source-corrupt': 'corrupt',
  'source-differs': 'corrupt',
};

/** Whether any file has blocks on the disk; a sparse one has none. */
async function holdsAnything(location: ContentLocation): Promise<boolean> {
  for (const file of location.files) {
    if (file.padding) continue;
    const found = await stat(file.path).catch(() => undefined);
    if (found !== undefined && found.blocks > 0) return true;
  }
  return false;
}
