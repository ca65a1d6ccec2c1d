import { memberOf, objects, textOf, type JsonObject } from '../api-client.js';
import { allowOptions, infoHash, rowLimit } from '../arguments.js';
import type { Command } from '../context.js';
import { Failure } from '../failure.js';
import { fields, table } from '../table.js';
import { grouped, moment, short } from '../words.js';

const NAME_WIDTH = 24;

export const listChannels: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['in-state', 'torrent', 'node', 'sort', 'limit']);
  if (operands[0] !== undefined) throw new Failure('usage', `unexpected: ${operands[0]}`);
  const query = new URLSearchParams();
  for (const state of options['in-state'] ?? []) query.append('state', state);
  if (options.torrent !== undefined) query.set('infoHash', infoHash(options.torrent));
  if (options.node !== undefined) query.set('nodeId', options.node);
  if (options.sort !== undefined) query.set('sort', options.sort);
  const { rows, more } = await api.list('/v1/channels', query, rowLimit(options));
  output.result({ items: rows, more }, () => listing(rows));
  if (more) output.note('there are more; see --limit');
};

export const showChannel: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  const [id] = operands;
  if (id === undefined) throw new Failure('usage', 'which channel? give its ID');
  const channel = await api.call('GET', `/v1/channels/${encodeURIComponent(id)}`);
  output.result(channel, () => describe(channel));
};

export const closeChannel: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['why']);
  const [id, ...more] = operands;
  if (id === undefined || more.length > 0) throw new Failure('usage', 'which channel? give its ID, and nothing more');
  if (options.why === undefined) throw new Failure('usage', '--why is missing');
  const channel = await api.call('POST', `/v1/channels/${encodeURIComponent(id)}/close`, { why: options.why });
  output.result(channel, () => describe(channel));
};

function listing(rows: readonly JsonObject[]): string {
  if (rows.length === 0) return 'no channels';
  return table(
    [
      { title: 'ID' },
      { title: 'OPENED' },
      { title: 'TORRENT' },
      { title: 'NODE' },
      { title: 'PEER' },
      { title: 'STATE' },
      { title: 'PAID', right: true },
      { title: 'PIECES', right: true },
      { title: 'PAID SAT', right: true },
      { title: 'NET SAT', right: true },
      { title: 'SETTLEMENT' },
    ],
    rows.map((row) => [
      textOf(row, 'id'),
      moment(textOf(row, 'createdAt')),
      short(textOf(row, 'torrentName') || textOf(row, 'infoHash'), NAME_WIDTH),
      textOf(row, 'nodeId'),
      textOf(row, 'peerAddress'),
      textOf(row, 'state'),
      textOf(row, 'k'),
      textOf(row, 'pieceCount'),
      grouped(textOf(row, 'paidSat')),
      grouped(textOf(row, 'netSat')),
      short(textOf(row, 'settlementTxid'), 16),
    ]),
  );
}

/** A channel in the books: what each account holds of it, and every posting that made it so. */
export const showBooks: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  const [id, ...rest] = operands;
  if (id === undefined || rest.length > 0) throw new Failure('usage', 'which channel? give its ID');
  const books = await api.call('GET', `/v1/channels/${encodeURIComponent(id)}/books`);
  output.result(books, () => {
    const amounts = (of: JsonObject | undefined) =>
      Object.entries(of ?? {}).map(([account, amount]): [string, string] => [account, grouped(String(amount))]);
    const postings = objects(books['postings']).map((posting) => [
      moment(textOf(posting, 'at')),
      textOf(posting, 'state'),
      textOf(posting, 'reason'),
      amounts(memberOf(posting, 'entries'))
        .map(([account, amount]) => `${account} ${amount}`)
        .join(', '),
    ]);
    const titles = ['WHEN', 'STATE', 'WHY', 'POSTED, SAT'].map((title) => ({ title }));
    return `${fields(amounts(memberOf(books, 'balances')))}\n\n${table(titles, postings)}`;
  });
};

function describe(channel: JsonObject): string {
  const text = (name: string) => textOf(channel, name);
  const head = fields([
    ['channel', text('id')],
    ['sale', `${text('saleId')} (in every line of a log about it)`],
    ['state', `${text('state')} (${text('stateReason')}) since ${moment(text('stateEnteredAt'))}`],
    ['torrent', `${text('torrentName')} ${text('infoHash')}`],
    ['node', text('nodeId')],
    ['peer', `${text('peerAddress')} ${text('peerClient')}`],
    [
      'terms',
      `${text('priceSat')} sat per piece, lock ${text('lockUnits')}, settlement fee ${text('settlementFeeSat')}`,
    ],
    [
      'funding',
      text('fundingTxid') === ''
        ? 'none yet'
        : `${text('fundingTxid')}:${text('fundingVout')}, ${grouped(text('fundingValueSat'))} sat, ` +
          `${text('fundingConfirmations')} confirmations`,
    ],
    ['payments', `${text('k')} of ${text('pieceCount')} (kMin ${text('kMin') || '-'}, kCap ${text('kCap') || '-'})`],
    ...(Number(text('lastK')) > Number(text('k'))
      ? [['lost', `payments after ${text('k')}, up to ${text('lastK')}: an earlier one was settled`] as const]
      : []),
    ['paid', `${grouped(text('paidSat'))} sat, net ${grouped(text('netSat'))} sat`],
    ['deadline', moment(text('deadlineAt')) || '-'],
    [
      'settlement',
      text('settlementTxid') === ''
        ? 'none yet'
        : `${text('settlementTxid')}, ${text('settlementConfirmations')} confirmations`,
    ],
    ['next', nextStep(channel)],
  ]);
  const transactions = objects(channel['transactions'] ?? []);
  const chain = table(
    [
      { title: 'TRANSACTION' },
      { title: 'TXID' },
      { title: 'STATE' },
      { title: 'WHY' },
      { title: 'FEE SAT', right: true },
      { title: 'DEPTH', right: true },
      { title: 'MADE' },
      { title: 'REPLACES' },
    ],
    transactions.map((row) => [
      textOf(row, 'role'),
      textOf(row, 'txid'),
      textOf(row, 'state'),
      textOf(row, 'reason'),
      grouped(textOf(row, 'feeSat')),
      textOf(row, 'confirmations'),
      moment(textOf(row, 'madeAt')),
      short(textOf(row, 'replaces'), 16),
    ]),
  );
  const story = table(
    [{ title: 'WHEN' }, { title: 'STATE' }, { title: 'WHY' }, { title: 'FACTS' }],
    objects(channel['story']).map((event) => [
      moment(textOf(event, 'at')),
      textOf(event, 'state'),
      textOf(event, 'reason'),
      textOf(event, 'data') === '{}' ? '' : textOf(event, 'data'),
    ]),
  );
  return [head, ...(transactions.length === 0 ? [] : [chain]), story].join('\n\n');
}

/** What each step means, in the words of an operator. */
const STEPS: Readonly<Record<string, string>> = {
  'send-joining': 'the intake answers the join',
  'await-ready': 'the buyer funds, or the join expires',
  'find-funding': 'the intake looks for the funding transaction',
  'follow-funding': 'the intake looks at the funding; pieces are served until the deadline',
  'await-payment': 'payments on their way are awaited, then k is frozen',
  'sign-settlement': 'the settler signs and sends the settlement',
  'follow-settlement': 'the settler follows what spends the funding, until it is final',
  'retry-settlement': 'the settlement is offered to the node again',
  'await-funding': 'the settler looks whether the funding is back',
};

function nextStep(channel: JsonObject): string {
  const [next] = objects([channel['next'] ?? null].filter((step) => step !== null));
  if (next === undefined) return 'nothing, unless a deep reorganisation undoes it';
  const what = textOf(next, 'what');
  const at = moment(textOf(next, 'at'));
  return `${STEPS[what] ?? what}${at === '' ? '' : `, by ${at}`} or with the next news`;
}
