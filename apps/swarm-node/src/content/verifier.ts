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
import type { NodeFiles } from './node-files.js';
import type { Shelf, ShelvedTorrent } from './shelf.js';

export interface VerifierParts {
  readonly shelf: Shelf;
  readonly files: NodeFiles;
  readonly loader: PieceLoader;
  readonly logger: Logger;
  readonly metrics: NodeMetrics;
}

/** Progress changes with every piece; this often is enough for people. */
const PROGRESS_INTERVAL_MS = 500;

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
      const { metainfo, failedFingerprint } = torrent;
      if (metainfo === undefined || failedFingerprint === undefined || this.queue.has(torrent.infoHash)) continue;
      if ((await fingerprintAt(metainfo, torrent.contentPath)) !== failedFingerprint) this.enqueue(torrent.infoHash);
    }
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async work(): Promise<void> {
    for (const infoHash of this.queue) {
      if (this.stopping.signal.aborted) return;
      this.queue.delete(infoHash);
      const torrent = this.parts.shelf.get(infoHash);
      if (torrent?.metainfo !== undefined && torrent.readiness !== 'ready')
        await this.verifySafely(torrent, torrent.metainfo);
    }
  }

  /** A disk that fails in an unforeseen way takes one torrent off sale, not the node down. */
  private async verifySafely(torrent: ShelvedTorrent, metainfo: Metainfo): Promise<void> {
    try {
      await this.verify(torrent, metainfo);
    } catch (failure) {
      const detail = failure instanceof Error ? failure.message : String(failure);
      this.fail(torrent.infoHash, { code: 'read-failed', detail }, '');
    }
  }

  private async verify(torrent: ShelvedTorrent, metainfo: Metainfo): Promise<void> {
    const { shelf, files, logger } = this.parts;
    const { infoHash } = torrent;
    const located = await locateContent(metainfo, torrent.contentPath);
    if (!located.ok) {
      return this.fail(infoHash, located.error, await fingerprintAt(metainfo, torrent.contentPath));
    }
    const fingerprint = await contentFingerprint(located.value);
    const content = { metainfo, location: located.value };
    if ((await files.readVerified(infoHash)) === fingerprint) {
      logger.info({ infoHash }, 'content unchanged since it was verified');
      return shelf.update(infoHash, ready(content));
    }
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
    // Without the note the content is read again after a restart, no more.
    const unsaved = (failure: unknown): void => logger.warn({ infoHash, failure: String(failure) }, 'note not saved');
    await files.writeVerified(infoHash, fingerprint).catch(unsaved);
    const seconds = Math.round(performance.now() - startedMs) / 1000;
    logger.info({ infoHash, bytes: metainfo.totalLengthBytes, seconds }, 'content verified');
    shelf.update(infoHash, ready(content));
  }

  /** Takes a torrent off sale because of its content. */
  fail(infoHash: string, problem: ContentError, fingerprint: string): void {
    const detail = describe(problem);
    this.parts.logger.error({ infoHash, code: problem.code, path: problem.path, piece: problem.piece }, detail);
    this.parts.shelf.update(infoHash, {
      readiness: READINESS[problem.code] ?? 'failed',
      detail,
      content: undefined,
      failedFingerprint: fingerprint,
    });
  }

  /** A piece could not be read for a buyer: the content is no longer what was verified. */
  async distrust(torrent: ShelvedTorrent, problem: ContentError): Promise<void> {
    if (torrent.readiness !== 'ready' || torrent.content === undefined) return;
    const fingerprint = await contentFingerprint(torrent.content.location);
    await this.parts.files.forgetVerified(torrent.infoHash).catch(() => undefined);
    this.fail(torrent.infoHash, problem, fingerprint);
  }
}

const READINESS: Partial<Record<ContentError['code'], ShelvedTorrent['readiness']>> = {
  'content-missing': 'missing',
  'file-missing': 'missing',
  'file-short': 'corrupt',
  'piece-corrupt': 'corrupt',
};

function ready(content: { metainfo: Metainfo; location: ContentLocation }): Partial<ShelvedTorrent> {
  return { readiness: 'ready', progress: 1, detail: '', content, failedFingerprint: undefined };
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
