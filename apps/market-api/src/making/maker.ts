import { dirname } from 'node:path';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { makeMetainfo, surveyContent, type MakingError, type Result, type Survey } from '@seedfleet/bittorrent';
import { sensiblePieceLength } from '@seedfleet/policy';
import { Counter, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import { isDatabaseAway } from '../http/database-away.js';
import { Problem } from '../http/problem.js';
import { TorrentService } from '../torrents/torrent.service.js';
import { CONTENT_ROOTS, rootedContent, type ContentRoot } from './content-roots.js';
import { MakingRepository, type MakingRow, type Progress } from './making.repository.js';

/** How often the queue is looked at by itself: for what another process took in, or left behind. */
const LOOK_EVERY_MS = 2_000;
/** How often it is written down how far one is; also how soon a cancelled one stops. */
const TELL_EVERY_MS = 1_000;

/**
 * Makes torrents of files and folders, one at a time in each process: hashing is bound by disk and one core. The bytes are
 * hashed on a thread of their own, so requests are answered meanwhile.
 */
@Injectable()
export class Maker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stopping = new AbortController();
  private readonly ended: Counter<'outcome'>;
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> | undefined;
  private failing = false;

  constructor(
    private readonly makings: MakingRepository,
    private readonly torrents: TorrentService,
    @Inject(CONTENT_ROOTS) private readonly roots: readonly ContentRoot[],
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    this.ended = new Counter({
      name: 'seedfleet_makings_total',
      help: 'Torrents made from files and folders, by outcome',
      labelNames: ['outcome'] as const,
      registers: [registry],
    });
  }

  onApplicationBootstrap(): void {
    // Without a root nothing can be made here.
    if (this.roots.length > 0) this.wake();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    clearTimeout(this.timer);
    await this.working;
  }

  /** There may be something to make. */
  wake(): void {
    if (this.working !== undefined || this.stopping.signal.aborted) return;
    clearTimeout(this.timer);
    this.working = this.workOff().finally(() => {
      this.working = undefined;
      if (!this.stopping.signal.aborted) this.timer = setTimeout(() => this.wake(), LOOK_EVERY_MS);
    });
  }

  private async workOff(): Promise<void> {
    try {
      while (!this.stopping.signal.aborted) {
        const row = await this.makings.claim();
        if (row === undefined) break;
        await this.make(row);
      }
      this.failing = false;
    } catch (failure) {
      // Its claim runs out, and somebody tries again. Health tells of an absent database.
      if (!this.failing && !isDatabaseAway(failure)) this.logger.error({ err: failure }, 'a torrent was not made');
      this.failing = true;
    }
  }

  private async make(row: MakingRow): Promise<void> {
    const calledOff = new AbortController();
    const signal = AbortSignal.any([this.stopping.signal, calledOff.signal]);
    let at: Progress = { hashedBytes: 0, totalBytes: 0, files: 0, pieceLengthBytes: row.pieceLengthBytes };
    const beat = setInterval(() => {
      // A database that is away for a moment must not end hours of hashing; a claim that has run out shows in the end.
      void this.makings.progress(row, at).then(
        (ours) => ours || calledOff.abort(),
        () => undefined,
      );
    }, TELL_EVERY_MS);
    try {
      const made = await this.hash(row, signal, (progress) => (at = progress));
      if (this.stopping.signal.aborted) await this.makings.release(row);
      else if (made.ok) await this.add(row, made.value);
      else if (made.error.code !== 'aborted') await this.fail(row, made.error.code, made.error.detail);
    } catch (failure) {
      if (!(failure instanceof Problem)) throw failure;
      const { reason } = failure.extensions;
      await this.fail(row, typeof reason === 'string' ? reason : failure.code, failure.detail);
    } finally {
      clearInterval(beat);
    }
  }

  private async hash(
    row: MakingRow,
    signal: AbortSignal,
    tell: (progress: Progress) => void,
  ): Promise<Result<{ metainfo: Uint8Array; contentPath: string }, MakingError>> {
    const { path, contentPath } = await rootedContent(this.roots, row.path);
    const survey = await surveyContent(path, undefined, signal);
    if (!survey.ok) return survey;
    const { totalBytes, files, root } = survey.value;
    if (root !== path) return { ok: false, error: { code: 'content-symlink', detail: row.path } };
    const pieceLengthBytes = row.pieceLengthBytes ?? sensiblePieceLength(totalBytes);
    const progress = { totalBytes, files: files.length, pieceLengthBytes };
    tell({ ...progress, hashedBytes: 0 });
    await this.makings.progress(row, { ...progress, hashedBytes: 0 });
    const made = await makeMetainfo(survey.value, {
      ...(row.name === null ? {} : { name: row.name }),
      pieceLengthBytes,
      isPrivate: row.private,
      onProgress: (hashedBytes) => tell({ ...progress, hashedBytes }),
      signal,
    });
    if (!made.ok) return made;
    await this.makings.progress(row, { ...progress, hashedBytes: totalBytes });
    return { ok: true, value: { metainfo: made.value, contentPath: placeOf(survey.value, row.name, contentPath) } };
  }

  /** Adding may be repeated, so a process that dies here does no harm. */
  private async add(row: MakingRow, made: { metainfo: Uint8Array; contentPath: string }): Promise<void> {
    if (!(await this.makings.adding(row))) return;
    const { labels, tier, actor } = row;
    const add = { ...made, labels: labels.length === 0 ? undefined : labels, ...(tier === null ? {} : { tier }) };
    const { torrent } = await this.torrents.add(add, actor);
    await this.makings.done(row, torrent.infoHash, BigInt(torrent.totalBytes));
    this.ended.inc({ outcome: 'done' });
  }

  private async fail(row: MakingRow, code: string, detail: string): Promise<void> {
    await this.makings.fail(row, code, detail);
    this.ended.inc({ outcome: 'failed' });
  }
}

/**
 * The content's place as nodes understand it: they take a folder for the one that holds what the torrent names where that
 * is in it, so a folder with one of its own name is told by the folder above.
 */
function placeOf(survey: Survey, wantedName: string | null, contentPath: string): string {
  const name = wantedName ?? survey.name;
  if (!survey.files.some(({ path }) => path.length > 1 && path[0] === name)) return contentPath;
  if (name === survey.name) return dirname(contentPath);
  const reason = 'content-name-ambiguous';
  throw new Problem(422, 'content-unusable', `there is a folder "${name}" in it; choose another name`, { reason });
}
