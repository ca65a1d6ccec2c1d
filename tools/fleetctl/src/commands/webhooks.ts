import { objects, textOf, type JsonObject } from '../api-client.js';
import { allowOptions, ofState, rowLimit } from '../arguments.js';
import type { Command } from '../context.js';
import { Failure } from '../failure.js';
import { operand } from '../operands.js';
import { fields, table } from '../table.js';
import { moment } from '../words.js';

export const listWebhooks: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  operand(operands, 0);
  const answer = await api.call('GET', '/v1/webhooks');
  const rows = objects(answer['items']);
  output.result(answer, () =>
    rows.length === 0
      ? 'no webhooks'
      : table(
          [
            { title: 'ID' },
            { title: 'URL' },
            { title: 'KINDS' },
            { title: 'STATE' },
            { title: 'PENDING', right: true },
            { title: 'GIVEN UP', right: true },
          ],
          rows.map((row) => [
            textOf(row, 'id'),
            textOf(row, 'url'),
            kindsOf(row),
            textOf(row, 'state'),
            textOf(row, 'pending'),
            textOf(row, 'givenUp'),
          ]),
        ),
  );
};

export const showWebhook: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  const hook = await api.call('GET', `/v1/webhooks/${encodeURIComponent(operand(operands, 1, 'the ID of a webhook'))}`);
  output.result(hook, () =>
    fields([
      ['id', textOf(hook, 'id')],
      ['url', textOf(hook, 'url')],
      ['kinds', kindsOf(hook)],
      ['what for', textOf(hook, 'description') || '-'],
      ['state', textOf(hook, 'state')],
      ['pending', textOf(hook, 'pending')],
      ['given up', textOf(hook, 'givenUp')],
    ]),
  );
};

export const addWebhook: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['kind', 'description']);
  const url = operand(operands, 1, 'the URL to call');
  const { kind: kinds = [], description = '' } = options;
  const hook = await api.call('POST', '/v1/webhooks', { url, kinds, description });
  output.result(hook, () =>
    fields([
      ['id', textOf(hook, 'id')],
      ['url', textOf(hook, 'url')],
      ['kinds', kindsOf(hook)],
      ['secret', textOf(hook, 'secret')],
    ]),
  );
  output.note('the secret is shown only now');
};

export const changeWebhook =
  (state: 'active' | 'paused'): Command =>
  async ({ api, options, operands, output }) => {
    allowOptions(options, []);
    const id = operand(operands, 1, 'the ID of a webhook');
    const hook = await api.call('PATCH', `/v1/webhooks/${encodeURIComponent(id)}`, { state });
    output.result(hook, () => `${id} is ${textOf(hook, 'state')}`);
  };

/** What is left out stays. */
export const editWebhook: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['url', 'kind', 'description']);
  const id = operand(operands, 1, 'the ID of a webhook');
  const { url, kind: kinds, description } = options;
  const change = {
    ...(url === undefined ? {} : { url }),
    // One empty kind stands for all of them.
    ...(kinds === undefined ? {} : { kinds: kinds.filter((kind) => kind !== '') }),
    ...(description === undefined ? {} : { description }),
  };
  if (Object.keys(change).length === 0) throw new Failure('usage', 'give --url, --kind or --description');
  const hook = await api.call('PATCH', `/v1/webhooks/${encodeURIComponent(id)}`, change);
  output.result(hook, () => `${textOf(hook, 'url')} is told of ${kindsOf(hook)}`);
};

export const removeWebhook: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  const id = operand(operands, 1, 'the ID of a webhook');
  await api.call('DELETE', `/v1/webhooks/${encodeURIComponent(id)}`);
  output.result({ id, removed: true }, () => `${id} is removed`);
};

export const testWebhook: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  const id = operand(operands, 1, 'the ID of a webhook');
  const delivery = await api.call('POST', `/v1/webhooks/${encodeURIComponent(id)}/test`);
  output.result(delivery, () => `delivery ${textOf(delivery, 'id')} is on its way`);
};

export const listDeliveries: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['state-of', 'limit']);
  const id = operand(operands, 1, 'the ID of a webhook');
  const path = `/v1/webhooks/${encodeURIComponent(id)}/deliveries`;
  const { rows, more } = await api.list(path, ofState(options), rowLimit(options));
  output.result({ items: rows, more }, () =>
    rows.length === 0
      ? 'no deliveries'
      : table(
          [
            { title: 'DELIVERY' },
            { title: 'EVENT' },
            { title: 'STATE' },
            { title: 'ATTEMPTS', right: true },
            { title: 'LAST ANSWER' },
            { title: 'LAST TRIED' },
            { title: 'NEXT' },
          ],
          rows.map((row) => [
            textOf(row, 'id'),
            textOf(row, 'kind'),
            textOf(row, 'state'),
            textOf(row, 'attempts'),
            [textOf(row, 'lastStatus'), textOf(row, 'lastProblem')].filter((part) => part !== '').join(' '),
            moment(textOf(row, 'lastAttemptAt')),
            moment(textOf(row, 'nextAttemptAt')),
          ]),
        ),
  );
  if (more) output.note('there are more; see --limit');
};

export const redeliver: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  const [id, delivery, more] = operands;
  if (id === undefined || delivery === undefined || more !== undefined) {
    throw new Failure('usage', 'give the ID of a webhook and that of a delivery');
  }
  const path = `/v1/webhooks/${encodeURIComponent(id)}/deliveries/${encodeURIComponent(delivery)}/redeliver`;
  const again = await api.call('POST', path);
  output.result(again, () => `delivery ${textOf(again, 'id')} is on its way`);
};

function kindsOf(hook: JsonObject): string {
  const { kinds } = hook;
  return Array.isArray(kinds) && kinds.length > 0 ? kinds.join(' ') : 'all';
}
