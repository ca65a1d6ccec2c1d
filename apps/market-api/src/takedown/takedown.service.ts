import { Injectable } from '@nestjs/common';
import { Problem } from '../http/problem.js';
import { FleetNews } from '../nodes/fleet-news.js';
import { TakedownRepository, type TakedownOrder, type TakedownRow } from './takedown.repository.js';

/** Blocks torrents for the whole fleet, and tells the nodes at once. */
@Injectable()
export class TakedownService {
  constructor(
    private readonly takedowns: TakedownRepository,
    private readonly news: FleetNews,
  ) {}

  /** May be repeated: what is in force stays as it was said first, unless content is to be deleted now, and the nodes are told again. */
  async take(order: TakedownOrder, actor: string): Promise<{ row: TakedownRow; removed: number }> {
    const { hash } = order;
    const first = await this.takedowns.take(order, actor);
    this.news.takenDown([hash, ...first.removed]);
    // Only now, since it may last: in force the takedown is already, for all that is known by its hashes.
    if ((await this.takedowns.readUnread()) === 0) return { row: first.row, removed: first.removed.length };
    const second = await this.takedowns.take(order, actor);
    this.news.takenDown(second.removed);
    return { row: first.row, removed: first.removed.length + second.removed.length };
  }

  /** @throws Problem takedown-not-found */
  async lift(hash: string, why: string, actor: string): Promise<TakedownRow> {
    const row = await this.takedowns.lift(hash, why, actor);
    if (row === null) throw new Problem(404, 'takedown-not-found', `no takedown of ${hash} is in force`, { hash });
    return row;
  }
}
