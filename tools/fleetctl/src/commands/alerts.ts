import { objects, textOf } from '../api-client.js';
import { allowOptions } from '../arguments.js';
import type { Command } from '../context.js';
import { operand } from '../operands.js';
import { table } from '../table.js';
import { moment } from '../words.js';

export const listAlerts: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  operand(operands, 0);
  const answer = await api.call('GET', '/v1/alerts');
  const rows = objects(answer['items']);
  output.result(answer, () =>
    rows.length === 0
      ? 'nothing needs attention'
      : table(
          [
            { title: 'SEVERITY' },
            { title: 'WHAT' },
            { title: 'SINCE' },
            { title: 'COUNT', right: true },
            { title: 'DETAILS' },
          ],
          rows.map((row) => [
            textOf(row, 'severity'),
            textOf(row, 'title'),
            moment(textOf(row, 'since')),
            textOf(row, 'count'),
            textOf(row, 'detail'),
          ]),
        ),
  );
};
