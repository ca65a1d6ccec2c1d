import { textOf } from '../api-client.js';
import { allowOptions, rowLimit } from '../arguments.js';
import type { Command } from '../context.js';
import { operand } from '../operands.js';
import { table } from '../table.js';
import { moment } from '../words.js';
import { instant } from './keys.js';

export const listAudit: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['actor', 'action', 'target', 'since', 'until', 'limit']);
  operand(operands, 0);
  const query = new URLSearchParams();
  for (const name of ['actor', 'action', 'target'] as const) {
    const value = options[name];
    if (value !== undefined) query.set(name, value);
  }
  for (const name of ['since', 'until'] as const) {
    const value = options[name];
    if (value !== undefined) query.set(name, instant(value, `--${name}`));
  }
  const { rows, more } = await api.list('/v1/audit', query, rowLimit(options));
  output.result({ items: rows, more }, () =>
    rows.length === 0
      ? 'nothing was written'
      : table(
          [{ title: 'WHEN' }, { title: 'WHO' }, { title: 'WHAT' }, { title: 'TO WHAT' }, { title: 'DETAILS' }],
          rows.map((row) => [
            moment(textOf(row, 'at')),
            textOf(row, 'actorName') || textOf(row, 'actor'),
            textOf(row, 'action'),
            textOf(row, 'target'),
            textOf(row, 'data') === '{}' ? '' : textOf(row, 'data'),
          ]),
        ),
  );
  if (more) output.note('there are more; see --limit');
};
