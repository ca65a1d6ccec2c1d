import { textOf, type JsonObject } from '../api-client.js';
import { allowOptions, rowLimit, wholeNumber } from '../arguments.js';
import type { Command } from '../context.js';
import { operand } from '../operands.js';
import { table } from '../table.js';
import { moment } from '../words.js';

const MAX_EVENTS = 1_000_000;
const DEFAULT_SHOWN = 50;

/** Without --follow: what happened last. With it: what happens, one line each, until it is stopped or --limit is reached. */
export const showEvents: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['follow', 'kind', 'limit']);
  operand(operands, 0);
  const query = new URLSearchParams((options.kind ?? []).map((kind): [string, string] => ['kind', kind]));
  if (options.follow === true) {
    let left = options.limit === undefined ? Infinity : wholeNumber(options.limit, '--limit', MAX_EVENTS);
    for await (const event of api.follow(`/v1/events?${query}`, (line) => output.note(line))) {
      output.line(event, () => lineOf(event));
      left -= 1;
      if (left <= 0) return;
    }
    return;
  }
  const limit = options.limit === undefined ? DEFAULT_SHOWN : rowLimit(options);
  const { rows, more } = await api.list('/v1/events/log', query, limit);
  output.result({ items: rows, more }, () =>
    rows.length === 0
      ? 'no events'
      : table(
          [{ title: 'WHEN' }, { title: 'EVENT' }, { title: 'OF' }, { title: 'DETAILS' }],
          rows.map((row) => [
            moment(textOf(row, 'at')),
            textOf(row, 'kind'),
            textOf(row, 'subject'),
            textOf(row, 'data'),
          ]),
        ),
  );
};

function lineOf(event: JsonObject): string {
  return `${moment(textOf(event, 'at'))}  ${textOf(event, 'kind')}  ${textOf(event, 'subject')}  ${textOf(event, 'data')}`;
}
