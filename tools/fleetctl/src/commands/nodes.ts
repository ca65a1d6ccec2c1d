import { memberOf, objects, textOf, type JsonObject } from '../api-client.js';
import { allowOptions } from '../arguments.js';
import type { Command } from '../context.js';
import { Failure } from '../failure.js';
import { fields, table } from '../table.js';
import { bytes, moment } from '../words.js';

export const listNodes: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  if (operands[0] !== undefined) throw new Failure('usage', `unexpected: ${operands[0]}`);
  const answer = await api.call('GET', '/v1/nodes');
  const rows = objects(answer['items']);
  const right = true;
  output.result(answer, () =>
    rows.length === 0
      ? 'no nodes'
      : table(
          [
            { title: 'NODE' },
            { title: 'PEER ADDRESS' },
            { title: 'STATE' },
            { title: 'ON SALE', right },
            { title: 'CONNECTIONS', right },
            { title: 'CHANNELS', right },
            { title: 'PIECES SOLD', right },
            { title: 'SOLD', right },
            { title: 'LAST SEEN' },
          ],
          rows.map((row) => {
            const stats = memberOf(row, 'stats');
            return [
              textOf(row, 'id'),
              textOf(row, 'peerAddress'),
              textOf(row, 'state'),
              textOf(memberOf(row, 'torrents'), 'on-sale') || '0',
              textOf(stats, 'connections'),
              textOf(stats, 'activeChannels'),
              textOf(stats, 'piecesSold'),
              bytes(Number(stats?.['bytesSold'] ?? 0)),
              moment(textOf(row, 'lastSeenAt')),
            ];
          }),
        ),
  );
};

export const showFleet: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  if (operands[0] !== undefined) throw new Failure('usage', `unexpected: ${operands[0]}`);
  const fleet = await api.call('GET', '/v1/fleet');
  output.result(fleet, () => {
    const nodes = memberOf(fleet, 'nodes');
    const work = memberOf(fleet, 'work');
    const channels = Object.entries(memberOf(fleet, 'channels') ?? {});
    const chain = memberOf(fleet, 'chain');
    return fields([
      ['fleet', `${textOf(fleet, 'fleetId')} on ${textOf(fleet, 'network')}`],
      ['nodes', `${textOf(nodes, 'up')} up, ${textOf(nodes, 'draining')} draining, ${textOf(nodes, 'silent')} silent`],
      ['torrents', `${textOf(memberOf(fleet, 'torrents'), 'active')} active`],
      ['connections', textOf(work, 'connections')],
      ['channels', channels.map(([state, count]) => `${String(count)} ${state}`).join(', ') || 'none'],
      ['unpaid in flight', bytes(Number(work?.['exposureBytes'] ?? 0))],
      ['chain', chain === undefined ? 'not followed yet' : `block ${textOf(chain, 'height')}`],
    ]);
  });
};

export const listQuarantined: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  if (operands[0] !== undefined) throw new Failure('usage', `unexpected: ${operands[0]}`);
  const answer = await api.call('GET', '/v1/nodes/quarantined');
  output.result(answer, () => quarantineText(answer));
};

export const releaseNode: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['why']);
  const [node, ...more] = operands;
  if (node === undefined || more.length > 0) throw new Failure('usage', 'which node? give its ID, and nothing more');
  if (options.why === undefined) throw new Failure('usage', '--why is missing');
  const path = `/v1/nodes/${encodeURIComponent(node)}/release`;
  const answer = await api.call('POST', path, { why: options.why });
  output.result(answer, () => `${node} is released\n\n${quarantineText(answer)}`);
};

function quarantineText(answer: JsonObject): string {
  const rows = objects(answer['items']);
  if (rows.length === 0) return 'no node is in quarantine';
  return table(
    [{ title: 'NODE' }, { title: 'REASON' }, { title: 'SINCE' }, { title: 'KEPT APART', right: true }],
    rows.map((row) => [
      textOf(row, 'nodeId'),
      textOf(row, 'reason'),
      moment(textOf(row, 'since')),
      textOf(row, 'parkedPayments'),
    ]),
  );
}
