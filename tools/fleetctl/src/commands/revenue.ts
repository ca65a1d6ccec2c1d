import { memberOf, textOf, type JsonObject } from '../api-client.js';
import { allowOptions, infoHash, rowLimit } from '../arguments.js';
import type { Command } from '../context.js';
import { Failure } from '../failure.js';
import { table } from '../table.js';
import { grouped, short } from '../words.js';

const NAME_WIDTH = 40;
const FIGURES = [
  ['REVENUE', 'revenueSat'],
  ['UNCOLLECTABLE', 'uncollectableSat'],
  ['COLLECTABLE', 'collectableSat'],
  ['BROADCAST', 'broadcastSat'],
  ['SETTLED', 'settledSat'],
  ['COLLECTED', 'collectedSat'],
  ['FEES', 'feesSat'],
  ['AT RISK', 'atRiskSat'],
  ['LOST', 'lostSat'],
] as const;

export const showRevenue: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['torrent', 'limit']);
  if (operands[0] !== undefined) throw new Failure('usage', `unexpected: ${operands[0]}`);
  const query = new URLSearchParams();
  if (options.torrent !== undefined) query.set('infoHash', infoHash(options.torrent));
  const { rows, more, firstPage } = await api.list('/v1/revenue', query, rowLimit(options));
  const totals = memberOf(firstPage, 'totals') ?? {};
  output.result({ totals, items: rows, more }, () => listing(rows, totals));
  if (more) output.note('there are more; see --limit');
};

function listing(rows: readonly JsonObject[], totals: JsonObject): string {
  const right = true;
  const line = (label: string, name: string, row: JsonObject) => [
    label,
    name,
    textOf(row, 'sales'),
    textOf(row, 'piecesPaid'),
    ...FIGURES.map(([, figure]) => grouped(textOf(row, figure))),
  ];
  return table(
    [
      { title: 'INFOHASH' },
      { title: 'NAME' },
      { title: 'SALES', right },
      { title: 'PIECES', right },
      ...FIGURES.map(([title]) => ({ title, right })),
    ],
    [
      ...rows.map((row) => line(textOf(row, 'infoHash'), short(textOf(row, 'name'), NAME_WIDTH), row)),
      line('all torrents', '', totals),
    ],
  );
}
