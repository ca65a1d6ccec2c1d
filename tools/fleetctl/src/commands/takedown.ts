import { memberOf, textOf, type JsonObject } from '../api-client.js';
import { allowOptions, rowLimit, type OptionValues } from '../arguments.js';
import type { Command } from '../context.js';
import { Failure } from '../failure.js';
import { operand } from '../operands.js';
import { fields, table } from '../table.js';
import { moment } from '../words.js';

export const takeDown: Command = async ({ api, options, operands, output }) => {
  const { 'delete-content': deleteContent = false, ...rest } = options;
  const { hash, why } = order(rest, operands);
  const answer = await api.call('POST', '/v1/takedowns', { hash, why, deleteContent });
  output.result(answer, () =>
    describe(answer, [
      ['removed now', `${textOf(answer, 'removed')} torrents`],
      ['content', contentText(answer)],
    ]),
  );
};

export const liftTakedown: Command = async ({ api, options, operands, output }) => {
  const { hash, why } = order(options, operands);
  const answer = await api.call('POST', `/v1/takedowns/${hash}/lift`, { why });
  output.result(answer, () => describe(answer));
};

export const listTakedowns: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['in-force', 'limit']);
  operand(operands, 0);
  const query = new URLSearchParams(options['in-force'] === true ? { inForce: 'true' } : {});
  const { rows, more } = await api.list('/v1/takedowns', query, rowLimit(options));
  output.result({ items: rows, more }, () =>
    rows.length === 0
      ? 'nothing was taken down'
      : table(
          [{ title: 'HASH' }, { title: 'SINCE' }, { title: 'BY' }, { title: 'WHY' }, { title: 'LIFTED' }],
          rows.map((row) => [
            textOf(row, 'hash'),
            moment(textOf(row, 'at')),
            textOf(row, 'by'),
            textOf(row, 'why'),
            liftedText(row),
          ]),
        ),
  );
  if (more) output.note('there are more; see --limit');
};

function order(options: OptionValues, operands: readonly string[]): { hash: string; why: string } {
  allowOptions(options, ['why']);
  const [hash, ...more] = operands;
  if (hash === undefined || more.length > 0) throw new Failure('usage', 'which one? give its HASH, and nothing more');
  if (!/^([0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})$/.test(hash)) {
    throw new Failure('usage', `${hash} is no hash of 32, 40 or 64 hexadecimal digits`);
  }
  if (options.why === undefined) throw new Failure('usage', '--why is missing');
  return { hash: hash.toLowerCase(), why: options.why };
}

function describe(takedown: JsonObject, more: readonly (readonly [string, string])[] = []): string {
  return fields([
    ['hash', textOf(takedown, 'hash')],
    ['why', textOf(takedown, 'why')],
    ['by', textOf(takedown, 'by')],
    ['since', moment(textOf(takedown, 'at'))],
    ['lifted', liftedText(takedown)],
    ...more,
  ]);
}

/** What becomes of it, which is not the same for what nodes fetched and for what people put there. */
function contentText(takedown: JsonObject): string {
  if (takedown['deleteContent'] === true) return 'nodes delete it, also files that were put there by hand';
  return 'nodes delete what they fetched; files put there by hand stay, see --delete-content and the audit';
}

function liftedText(takedown: JsonObject): string {
  const lifted = memberOf(takedown, 'lifted');
  if (lifted === undefined) return '-';
  return `${moment(textOf(lifted, 'at'))} by ${textOf(lifted, 'by')}: ${textOf(lifted, 'why')}`;
}
