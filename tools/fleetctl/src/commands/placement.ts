import { memberOf, objects, textOf, type JsonObject } from '../api-client.js';
import { allowOptions, infoHash, wholeNumber } from '../arguments.js';
import type { Command } from '../context.js';
import { Failure } from '../failure.js';
import { fields, table } from '../table.js';
import { bytes, moment } from '../words.js';

const MAX_REPLICAS = 1_000;

export const showPlacement: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  nothingMore(operands, 0);
  const overview = await api.call('GET', '/v1/placement');
  output.result(overview, () => overviewText(overview));
};

/** Empties a node; `uncordonNode` lets it have torrents again. */
export const cordonNode: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['why']);
  nothingMore(operands, 1);
  if (options.why === undefined) throw new Failure('usage', '--why is missing');
  const overview = await api.call('POST', `/v1/nodes/${nodeOf(operands)}/cordon`, { why: options.why });
  output.result(overview, () => overviewText(overview));
};

export const uncordonNode: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  nothingMore(operands, 1);
  const overview = await api.call('POST', `/v1/nodes/${nodeOf(operands)}/uncordon`);
  output.result(overview, () => overviewText(overview));
};

/** The dry run of a change of the fleet. */
export const previewPlacement: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['without']);
  nothingMore(operands, 0);
  const preview = await api.call('POST', '/v1/placement/preview', { without: options.without ?? [] });
  const right = true;
  output.result(preview, () =>
    [
      fields([
        ['torrents', textOf(preview, 'torrents')],
        ['would be copied', `${textOf(preview, 'copies')}, ${bytes(Number(preview['copiedBytes'] ?? 0))}`],
        ['too few sellers', shortages(preview)],
      ]),
      table(
        [
          { title: 'NODE' },
          { title: 'TORRENTS NOW', right },
          { title: 'THEN', right },
          { title: 'CONTENT NOW', right },
          { title: 'THEN', right },
        ],
        objects(preview['nodes']).map((row) => [
          textOf(row, 'nodeId'),
          textOf(row, 'torrentsBefore'),
          textOf(row, 'torrentsAfter'),
          bytes(Number(row['bytesBefore'] ?? 0)),
          bytes(Number(row['bytesAfter'] ?? 0)),
        ]),
      ),
    ].join('\n\n'),
  );
};

/** Where a torrent is placed; with a number, after saying how many nodes are to sell it. */
export const setReplicas: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  nothingMore(operands, 2);
  const torrent = `/v1/torrents/${infoHash(operands[0])}`;
  const text = operands[1];
  const placement =
    text === undefined
      ? await api.call('GET', `${torrent}/placement`)
      : await api.call('PUT', `${torrent}/replicas`, {
          replicas: text === 'auto' ? null : wholeNumber(text, 'the number of nodes', MAX_REPLICAS),
        });
  output.result(placement, () => {
    const nodes = objects(placement['nodes']);
    const head = fields([
      ['nodes wanted', `${textOf(placement, 'wanted')}${placement['setByOperator'] === true ? '' : ' (by demand)'}`],
      ['short because of', textOf(placement, 'shortage') || '–'],
    ]);
    const rows = nodes.map((row) => [
      textOf(row, 'nodeId'),
      textOf(row, 'state'),
      textOf(row, 'seeding') || '–',
      moment(textOf(row, 'since')),
    ]);
    return `${head}\n\n${table([{ title: 'NODE' }, { title: 'PLACEMENT' }, { title: 'SAYS' }, { title: 'SINCE' }], rows)}`;
  });
};

function overviewText(overview: JsonObject): string {
  const right = true;
  const nodes = table(
    [
      { title: 'NODE' },
      { title: 'STANDING' },
      { title: 'ZONE' },
      { title: 'WEIGHT', right },
      { title: 'TORRENTS', right },
      { title: 'CONTENT', right },
      { title: 'WHY' },
    ],
    objects(overview['nodes']).map((row) => [
      textOf(row, 'nodeId'),
      textOf(row, 'standing'),
      textOf(row, 'zone') || '–',
      textOf(row, 'weight'),
      textOf(row, 'torrents'),
      bytes(Number(row['bytes'] ?? 0)),
      textOf(row, 'cordonReason'),
    ]),
  );
  const rest = fields([
    ['too few sellers', shortages(overview)],
    ['waiting for successors', textOf(overview, 'leaving')],
  ]);
  return `${nodes}\n\n${rest}`;
}

function shortages(answer: JsonObject): string {
  const counts = Object.entries(memberOf(answer, 'shortages') ?? {});
  return counts.map(([reason, count]) => `${String(count)} (${reason})`).join(', ') || 'none';
}

function nodeOf(operands: readonly string[]): string {
  if (operands[0] === undefined) throw new Failure('usage', 'which node? give its ID');
  return encodeURIComponent(operands[0]);
}

function nothingMore(operands: readonly string[], taken: number): void {
  if (operands[taken] !== undefined) throw new Failure('usage', `unexpected: ${operands[taken]}`);
}
