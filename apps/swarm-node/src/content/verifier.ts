import { isAbsolute } from 'node:path';
import {
  locateContent,
  verifyContent,
  type ContentError,
  type ContentLocation,
  type Metainfo,
  type PieceLoader,
} from '@seedfleet/bittorrent';
import type { Logger } from '@seedfleet/service-kit';
import type { NodeMetrics } from '../metrics/node-metrics.js';
import { contentFingerprint } from './fingerprint.js';
import { LazyLocation, type LazyMetainfo } from './lazy-metainfo.js';
import type { NodeFiles } from './node-files.js';
import type { Shelf, ShelvedTorrent } from './shelf.js';

export interface VerifierParts {
  readonly shelf: Shelf;
  readonly files: NodeFiles;
  readonly loader: PieceLoader;
  readonly logger: Logger;
  readonly metrics: NodeMetrics;
  /** Content that this node fetches is not as it should be: it is mended from its source. */
  readonly onSpoilt?: (infoHash: string) => void;
}

/** Progress changes with every piece; this often is enough for people. */
const PROGRESS_INTERVAL_MS = 500;
/** Torrents whose files are looked at, not read, at the same time. */
const LOOKS_AT_ONCE = 32;

/** Verifies content, one torrent after another, and puts what is good on sale. */
export class Verifier {
  private readonly queue = new Set<string>();
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(private readonly parts: VerifierParts) {}

  /** Verifies a torrent in its turn; its metainfo must be on the shelf. */
  enqueue(infoHash: string): void {
    this.queue.add(infoHash);
    this.running ??= this.work().finally(() => {
      this.running = undefined;
      if (this.queue.size > 0 && !this.stopping.signal.aborted) this.enqueue([...this.queue][0] ?? infoHash);
    });
  }

  /** Looks again at failed content that has changed on disk since. */
  async retryChanged(): Promise<void> {
    for (const torrent of this.parts.shelf.all()) {
      const { metainfo, failedFingerprint, source } = torrent;
      if (metainfo === undefined || failedFingerprint === undefined || this.queue.has(torrent.infoHash)) continue;
      // What is fetched is mended from its source.
      if (source !== undefined) continue;
      if ((await fingerprintAt(metainfo, torrent.contentPath)) !== failedFingerprint) this.enqueue(torrent.infoHash);
    }
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Resolves once nothing waits to be looked at or verified. */
  async idle(): Promise<void> {
    while (this.running !== undefined) await this.running;
  }

  /** Unchanged content first, many at a time, since it needs a look only; then what has to be read, one by one. */
  private async work(): Promise<void> {
    const toRead = new Set<string>();
    while (!this.stopping.signal.aborted) {
      const batch = [...take(this.queue, LOOKS_AT_ONCE)];
      await Promise.all(
        batch.map((infoHash) =>
          this.safely(infoHash, async (torrent, metainfo) => {
            if (!(await this.isUnchanged(torrent, metainfo))) toRead.add(infoHash);
          }),
        ),
      );
      if (this.queue.size > 0) continue;
      const [next] = take(toRead, 1);
      if (next === undefined) return;
      await this.safely(next, (torrent, metainfo) => this.verify(torrent, metainfo));
    }
  }

  /** A disk that fails in an unforeseen way takes one torrent off sale, not the node down. */
  private async safely(
    infoHash: string,
    work: (torrent: ShelvedTorrent, metainfo: LazyMetainfo) => Promise<void>,
  ): Promise<void> {
    const torrent = this.parts.shelf.get(infoHash);
    if (torrent?.metainfo === undefined || torrent.readiness === 'ready') return;
    try {
      await work(torrent, torrent.metainfo);
    } catch (failure) {
      const detail = failure instanceof Error ? failure.message : String(failure);
      this.fail(infoHash, { code: 'read-failed', detail }, '');
    }
  }

  /** Puts content on sale that is as it was when it was verified; false where it has to be read. */
  private async isUnchanged(torrent: ShelvedTorrent, metainfo: LazyMetainfo): Promise<boolean> {
    const { shelf, files, logger } = this.parts;
    const { infoHash } = torrent;
    const verified = files.verifiedFingerprint(infoHash);
    if (verified === undefined) return false;
    const location = await this.sameAs(verified, metainfo, torrent.contentPath);
    if (location === undefined) return false;
    logger.debug({ infoHash }, 'content unchanged since it was verified');
    shelf.update(infoHash, ready(metainfo, location));
    return true;
  }

  /** Where the content lies that has this fingerprint. One look suffices where the path is that of the only file. */
  private async sameAs(verified: string, metainfo: LazyMetainfo, path: string): Promise<LazyLocation | undefined> {
    if (!metainfo.multiFile && isAbsolute(path)) {
      const file = LazyLocation.ofFile(metainfo, path);
      if ((await contentFingerprint(file)) === verified) return file;
    }
    const located = await locateContent(metainfo, path);
    if (!located.ok || (await contentFingerprint(located.value)) !== verified) return undefined;
    return LazyLocation.of(metainfo, located.value);
  }

  private async verify(torrent: ShelvedTorrent, lazy: LazyMetainfo): Promise<void> {
    const { shelf } = this.parts;
    const { infoHash } = torrent;
    // Held as a whole while every piece is looked up.
    const metainfo = lazy.whole;
    if (metainfo === undefined) throw new Error('the .torrent file is gone');
    const located = await locateContent(metainfo, torrent.contentPath);
    if (!located.ok) {
      return this.fail(infoHash, located.error, await fingerprintAt(metainfo, torrent.contentPath));
    }
    const fingerprint = await contentFingerprint(located.value);
    const content = { metainfo, location: located.value };
    const startedMs = performance.now();
    let reportedMs = startedMs;
    shelf.update(infoHash, { readiness: 'verifying', progress: 0, detail: '' });
    const report = await verifyContent(content, this.parts.loader, {
      signal: this.stopping.signal,
      stopAfterProblems: 1,
      onProgress: ({ checkedPieces, totalPieces }) => {
        this.parts.metrics.verifiedBytes.inc(metainfo.pieceLengthBytes);
        if (performance.now() - reportedMs < PROGRESS_INTERVAL_MS) return;
        reportedMs = performance.now();
        shelf.update(infoHash, { progress: checkedPieces / totalPieces });
      },
    });
    if (report.aborted) return;
    const [problem] = report.problems;
    if (problem !== undefined) return this.fail(infoHash, problem, fingerprint);
    const seconds = Math.round(performance.now() - startedMs) / 1000;
    this.parts.logger.info({ infoHash, bytes: metainfo.totalLengthBytes, seconds }, 'content verified');
    this.accept(lazy, located.value, fingerprint);
  }

  /** Puts content on sale of which every piece was just found good. */
  accept(metainfo: LazyMetainfo, located: ContentLocation, fingerprint: string): void {
    const { shelf, files, logger } = this.parts;
    const { infoHash } = metainfo;
    try {
      files.noteVerified(metainfo, fingerprint);
    } catch (failure) {
      // Without the note the content is read again after a restart, no more.
      logger.warn({ infoHash, failure: String(failure) }, 'note not saved');
    }
    shelf.update(infoHash, ready(metainfo, LazyLocation.of(metainfo, located)));
  }

  /** Takes a torrent off sale because of its content. */
  fail(infoHash: string, problem: ContentError, fingerprint: string): void {
    const detail = describe(problem);
    this.parts.logger.error({ infoHash, code: problem.code, path: problem.path, piece: problem.piece }, detail);
    // A .torrent file that is gone is fetched again, and everything with it.
    if (this.parts.shelf.get(infoHash)?.metainfo?.whole === undefined) {
      this.parts.files.torrentLost(infoHash);
      return this.parts.shelf.update(infoHash, {
        readiness: 'waiting',
        detail,
        metainfo: undefined,
        content: undefined,
      });
    }
    this.parts.shelf.update(infoHash, {
      readiness: READINESS[problem.code] ?? 'failed',
      detail,
      content: undefined,
      failedFingerprint: fingerprint,
    });
    if (this.parts.shelf.get(infoHash)?.source !== undefined) this.parts.onSpoilt?.(infoHash);
  }

  /** A piece could not be read for a buyer: the content is no longer what was verified. */
  async distrust(torrent: ShelvedTorrent, problem: ContentError): Promise<void> {
    if (torrent.readiness !== 'ready' || torrent.content === undefined) return;
    const fingerprint = await contentFingerprint(torrent.content.location);
    try {
      this.parts.files.forgetVerified(torrent.infoHash);
    } catch {
      // Then the next start looks at the fingerprint, which has changed if the content has.
    }
    this.fail(torrent.infoHash, problem, fingerprint);
  }
}

const READINESS: Partial<Record<ContentError['code'], ShelvedTorrent['readiness']>> = {
  'content-missing': 'missing',
  'file-missing': 'missing',
  'file-short': 'corrupt',
  'piece-corrupt': 'corrupt',
};

function ready(metainfo: LazyMetainfo, location: LazyLocation): Partial<ShelvedTorrent> {
  return { readiness: 'ready', progress: 1, detail: '', content: { metainfo, location }, failedFingerprint: undefined };
}

/** Takes at most so many out of a set, oldest first. */
function* take(from: Set<string>, count: number): Generator<string> {
  for (const item of from) {
    if (count-- <= 0) return;
    from.delete(item);
    yield item;
  }
}

async function fingerprintAt(metainfo: Metainfo, path: string): Promise<string> {
  const located = await locateContent(metainfo, path);
  return located.ok ? contentFingerprint(located.value) : `${located.error.code} ${located.error.path ?? ''}`;
}

function describe(problem: ContentError): string {
  const where = problem.path === undefined ? '' : ` ${problem.path}`;
  const piece = problem.piece === undefined ? '' : `, piece ${problem.piece}`;
  const detail = problem.detail === undefined ? '' : ` (${problem.detail})`;
  return `${problem.code}:${where}${piece}${detail}`.slice(0, 300);
}
