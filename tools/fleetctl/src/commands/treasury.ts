import { objects, textOf } from '../api-client.js';
import { allowOptions } from '../arguments.js';
import type { Command } from '../context.js';
import { Failure } from '../failure.js';
import { fields, table } from '../table.js';
import { grouped, moment } from '../words.js';

export const showTreasury: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  if (operands[0] !== undefined) throw new Failure('usage', `unexpected: ${operands[0]}`);
  const treasury = await api.call('GET', '/v1/treasury');
  const text = (name: string) => textOf(treasury, name);
  output.result(treasury, () => {
    const [next] = objects([treasury['next'] ?? {}]);
    const head = fields([
      ['swept to', text('destination') || 'nowhere: neither TREASURY_ADDRESS nor TREASURY_XPUB is set'],
      ['since', moment(text('destinationSince'))],
      ['next address', text('nextAddress')],
      ['on payout keys', `${grouped(text('hotSat'))} sat`],
      [
        'spare',
        `${grouped(text('spareSat'))} sat in ${text('spareCoins')} coins, ${text('keptCoins')} kept for children`,
      ],
      ['swept so far', `${grouped(text('sweptSat'))} sat`],
      ['fees so far', `${grouped(text('feesSat'))} sat`],
      ['next', next === undefined ? '' : `${textOf(next, 'kind')} (${textOf(next, 'why')})`],
    ]);
    const rows = objects(treasury['transactions']).map((one) => [
      moment(textOf(one, 'madeAt')),
      textOf(one, 'kind'),
      textOf(one, 'state'),
      textOf(one, 'reason'),
      grouped(textOf(one, 'inputSat')),
      grouped(textOf(one, 'feeSat')),
      textOf(one, 'txid'),
    ]);
    const titles = ['MADE', 'KIND', 'STATE', 'WHY'].map((title) => ({ title }));
    const amounts = [{ title: 'SAT', right: true }, { title: 'FEE', right: true }, { title: 'TXID' }];
    return rows.length === 0 ? head : `${head}\n\n${table([...titles, ...amounts], rows)}`;
  });
};

export const sweepTreasury: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['dry-run']);
  if (operands[0] !== undefined) throw new Failure('usage', `unexpected: ${operands[0]}`);
  const dryRun = options['dry-run'] === true;
  const done = await api.call('POST', '/v1/treasury/sweep', { dryRun });
  const text = (name: string) => textOf(done, name);
  output.result(done, () => {
    if (text('kind') === 'none') return `nothing is swept: ${text('why')}`;
    const what = `${text('inputs')} coins of ${grouped(text('inputSat'))} sat to ${text('destination')}, fee ${grouped(text('feeSat'))} sat`;
    if (dryRun) return `would sweep ${what}`;
    return text('txid') === '' ? `not swept, see the settler's log: ${what}` : `swept ${what}: ${text('txid')}`;
  });
};
