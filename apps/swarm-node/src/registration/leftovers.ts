import { rm, rmdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseMetainfo, placeContent } from '@seedfleet/bittorrent';
import { MAX_ASKED_TAKEN_DOWN, takenDownAmong, takenDownContent, type Bus } from '@seedfleet/bus';
import type { Logger } from '@seedfleet/service-kit';
import type { z } from 'zod';
import type { ContentFetcher } from '../content/fetching/content-fetcher.js';
import type { FetchedContent } from '../content/fetching/fetched-content.js';
import type { NodeFiles } from '../content/node-files.js';
import type { Shelf } from '../content/shelf.js';
import { sharedFiles } from './shared-files.js';

type TakenDown = z.output<typeof takenDownAmong.reply>['takenDown'][number];
type Report = z.output<typeof takenDownContent.request>;

/**
 * What this node still has of torrents that it is not to seed. The fleet is asked which of them were taken down, so that
 * an order is followed also by a node that was away when it was given; their content is deleted and that is reported for
 * the audit. Of the others only the .torrent file goes, and fetched content becomes free to be evicted.
 */
export class Leftovers {
  private readonly torrents = new Set<string>();
  /** Reports that the fleet has not taken yet. */
  private reports: Report[] = [];
  private settling: Promise<void> = Promise.resolve();

  constructor(
    private readonly parts: {
      readonly nodeId: string;
      readonly bus: Bus;
      readonly files: NodeFiles;
      readonly fetched: FetchedContent;
      readonly fetcher: ContentFetcher;
      readonly shelf: Shelf;
      readonly logger: Logger;
    },
  ) {}

  /** What an earlier run left: anything of it may have been taken down while the node was away. */
  async open(): Promise<void> {
    for (const infoHash of await this.parts.files.torrents()) this.torrents.add(infoHash);
  }

  add(infoHash: string): void {
    this.torrents.add(infoHash);
  }

  /** Deals with everything that is not assigned. One call after another; asked again next time where the fleet is away. */
  settle(isAssigned: (infoHash: string) => boolean): Promise<void> {
    this.settling = this.settling
      .then(() => this.run(isAssigned))
      .catch((failure: unknown) => this.parts.logger.error({ failure: String(failure) }, 'leftovers not settled'));
    return this.settling;
  }

  private async run(isAssigned: (infoHash: string) => boolean): Promise<void> {
    const { nodeId, bus, files, fetched } = this.parts;
    await this.tell();
    // Fetched content is asked of each time: it stays for a while, and may be taken down meanwhile.
    const held = [...new Set([...this.torrents, ...fetched.infoHashes])];
    const left = held.filter((infoHash) => {
      if (isAssigned(infoHash)) this.torrents.delete(infoHash);
      return !isAssigned(infoHash);
    });
    for (let at = 0; at < left.length; at += MAX_ASKED_TAKEN_DOWN) {
      const infoHashes = left.slice(at, at + MAX_ASKED_TAKEN_DOWN);
      const reply = await bus.request(takenDownAmong, { nodeId, infoHashes });
      if (!reply.ok) return;
      for (const takenDown of reply.value.takenDown) await this.delete(takenDown);
      for (const infoHash of infoHashes) {
        if (isAssigned(infoHash)) continue;
        await fetched.release(infoHash);
        if (this.torrents.delete(infoHash)) await files.forget(infoHash).catch(() => undefined);
      }
    }
    await fetched.sweep();
    if (left.length > 0) this.parts.fetcher.roomMade();
    await this.tell();
  }

  private async delete({ infoHash, deleteOwn, contentPath }: TakenDown): Promise<void> {
    const { nodeId, fetched, fetcher, logger } = this.parts;
    const report: Report = { nodeId, infoHash, deletedBytes: 0, leftAt: '', problem: '' };
    try {
      await fetcher.ended(infoHash);
      const was = fetched.has(infoHash);
      if (was) report.deletedBytes = await fetched.delete(infoHash);
      else if (contentPath.startsWith('/') && this.torrents.has(infoHash)) {
        const own = await this.deleteOwn(infoHash, contentPath, deleteOwn);
        report.deletedBytes = own.deletedBytes;
        report.leftAt = own.leftAt;
        report.problem = own.problem;
      } else return;
    } catch (failure) {
      report.problem = String(failure).slice(0, 300);
    }
    logger.warn({ ...report }, 'content of a torrent that was taken down');
    this.reports.push(report);
  }

  /**
   * Files that the operator put here: they go only where the order says so, and only those that the torrent names and no
   * other torrent of this node.
   */
  private async deleteOwn(
    infoHash: string,
    path: string,
    wanted: boolean,
  ): Promise<{ deletedBytes: number; leftAt: string; problem: string }> {
    const torrent = await this.parts.files.readTorrent(infoHash);
    const parsed = torrent === undefined ? undefined : parseMetainfo(torrent);
    if (!wanted || parsed?.ok !== true) return { deletedBytes: 0, leftAt: path, problem: '' };
    const placed = await placeContent(parsed.value, path);
    if (!placed.ok) return { deletedBytes: 0, leftAt: '', problem: '' };
    const shared = await sharedFiles(placed.value.files, this.parts.shelf);
    let deletedBytes = 0;
    const folders = new Set<string>();
    for (const file of placed.value.files) {
      if (file.padding || shared.has(file)) continue;
      const found = await stat(file.path).catch(() => undefined);
      await rm(file.path, { force: true });
      deletedBytes += found?.size ?? 0;
      if (parsed.value.multiFile) folders.add(dirname(file.path));
    }
    // Deepest first; one that holds anything else stays.
    for (const folder of [...folders].sort((a, b) => b.length - a.length)) await rmdir(folder).catch(() => undefined);
    if (shared.size === 0) return { deletedBytes, leftAt: '', problem: '' };
    return {
      deletedBytes,
      leftAt: path,
      problem: `${shared.size} files stay: other torrents of this node name them too`,
    };
  }

  private async tell(): Promise<void> {
    while (this.reports.length > 0) {
      const [report] = this.reports;
      if (report === undefined) return;
      const reply = await this.parts.bus.request(takenDownContent, report);
      if (!reply.ok) return;
      this.reports = this.reports.slice(1);
    }
  }
}
