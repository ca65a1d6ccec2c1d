import { Injectable } from '@nestjs/common';
import type { PlacementNode } from '@seedfleet/placement';
import { Problem } from '../http/problem.js';
import { PlacementRepository } from './placement.repository.js';
import type { PlacementPreview, PreviewBody } from './placement.schemas.js';
import { PlacementService } from './placement.service.js';
import { changes, Planner } from './planner.js';

const PAGE = 5_000;
const SHOWN_MOVES = 100;

/** What a change of the fleet would move: the plan itself, stored nowhere. */
@Injectable()
export class PlacementPreviewer {
  constructor(
    private readonly service: PlacementService,
    private readonly repository: PlacementRepository,
  ) {}

  /** @throws Problem node-not-found, validation-failed */
  async preview({ without, add }: PreviewBody): Promise<PlacementPreview> {
    const now = await this.service.fleet();
    const known = new Set(now.map(({ id }) => id));
    const stranger = without.find((id) => !known.has(id));
    if (stranger !== undefined) throw new Problem(404, 'node-not-found', `no node is called ${stranger}`);
    const doubled = add.find(({ id }) => known.has(id));
    if (doubled !== undefined) throw new Problem(422, 'validation-failed', `a node is called ${doubled.id} already`);
    const nodes: PlacementNode[] = [
      ...now.map((node) => (without.includes(node.id) ? { ...node, standing: 'gone' as const } : node)),
      ...add.map((node) => ({
        ...node,
        capacityBytes: node.capacityBytes ?? Number.MAX_SAFE_INTEGER,
        maxTorrents: node.maxTorrents ?? Number.MAX_SAFE_INTEGER,
        standing: 'open' as const,
      })),
    ];
    const held = await this.repository.held();
    const planner = new Planner(nodes, held);
    const preview: PlacementPreview = { torrents: 0, copies: 0, copiedBytes: 0, shortages: {}, nodes: [], moves: [] };
    for (let after = ''; ;) {
      const rows = await this.repository.torrents({ after, dueOnly: false, limit: PAGE });
      for (const row of rows) {
        const decided = planner.decide(row, true);
        const { add: gets, drop, shortage } = decided.decision;
        preview.torrents += 1;
        preview.copies += gets.length;
        preview.copiedBytes += gets.length * Number(row.bytes);
        if (shortage !== null) preview.shortages[shortage] = (preview.shortages[shortage] ?? 0) + 1;
        if (changes(decided) && preview.moves.length < SHOWN_MOVES) {
          preview.moves.push({ infoHash: row.infoHash, add: [...gets], drop: [...drop] });
        }
        after = row.infoHash;
      }
      if (rows.length < PAGE) break;
    }
    const before = new Map(held.map((row) => [row.nodeId, row]));
    preview.nodes = nodes.map(({ id }) => ({
      nodeId: id,
      torrentsBefore: before.get(id)?.torrents ?? 0,
      torrentsAfter: planner.heldBy(id).torrents,
      bytesBefore: Number(before.get(id)?.bytes ?? 0n),
      bytesAfter: planner.heldBy(id).bytes,
    }));
    return preview;
  }
}
