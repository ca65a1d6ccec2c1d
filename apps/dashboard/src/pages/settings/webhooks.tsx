import { useState, type FormEvent } from 'react';
import { send, wordsOf, type WriteMethod } from '../../api/client';
import type { Webhook } from '../../api/types';
import { useLive, waiting } from '../../api/use-live';
import { Card } from '../../components/card';
import { Confirm } from '../../components/confirm';
import { ShownOnce } from '../../components/copy';
import { DataTable, type Column } from '../../components/data-table';
import { Pill } from '../../components/pill';
import { useMay } from '../../session/session';
import { Deliveries } from './deliveries';

export function WebhooksCard() {
  const hooks = useLive<{ readonly items: readonly Webhook[] }>('/v1/webhooks', ['webhook', 'channel', 'pulse']);
  const [open, setOpen] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const may = useMay('operate');
  const act = async (method: WriteMethod, path: string, body?: object): Promise<void> => {
    const result = await send(method, path, body);
    setProblem(result.ok ? undefined : wordsOf(result.failure));
    hooks.reload();
  };
  return (
    <>
      {may && <NewWebhook onMade={hooks.reload} />}
      <Card title="Webhooks" failure={hooks.failure}>
        {problem !== undefined && (
          <p role="alert" className="problem">
            {problem}
          </p>
        )}
        <DataTable
          caption="Webhooks"
          columns={columns(may, open, setOpen, (...call) => void act(...call))}
          rows={hooks.value?.items ?? []}
          keyOf={({ id }) => id}
          empty={hooks.value === undefined ? waiting(hooks) : 'No webhook yet.'}
          details={({ id }) => (id === open ? <Deliveries webhookId={id} /> : null)}
        />
      </Card>
    </>
  );
}

function NewWebhook({ onMade }: { readonly onMade: () => void }) {
  const [url, setUrl] = useState('');
  const [kinds, setKinds] = useState('');
  const [secret, setSecret] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const wanted = kinds.split(/[\s,]+/).filter((kind) => kind !== '');
    const result = await send<{ secret: string }>('POST', '/v1/webhooks', { url: url.trim(), kinds: wanted });
    if (!result.ok) return setProblem(wordsOf(result.failure));
    setProblem(undefined);
    setSecret(result.value.secret);
    setUrl('');
    onMade();
  };
  return (
    <Card title="New webhook">
      {secret !== undefined && (
        <ShownOnce name="The secret that signs deliveries" text={secret} onDone={() => setSecret(undefined)} />
      )}
      <form onSubmit={(event) => void submit(event)}>
        <div className="fields">
          <label>
            Address
            <input
              required
              type="url"
              placeholder="https://books.example/hook"
              value={url}
              onChange={(event) => setUrl(event.target.value)}
            />
          </label>
          <label>
            Kinds of events
            <input
              placeholder="all; or channel.settled, node.*"
              value={kinds}
              onChange={(event) => setKinds(event.target.value)}
            />
          </label>
        </div>
        <p role="alert" className="problem">
          {problem}
        </p>
        <button type="submit" className="primary">
          Add the webhook
        </button>
      </form>
    </Card>
  );
}

function columns(
  may: boolean,
  open: string | undefined,
  setOpen: (id: string | undefined) => void,
  act: (method: WriteMethod, path: string, body?: object) => void,
): readonly Column<Webhook>[] {
  const columns: Column<Webhook>[] = [
    { title: 'Address', cell: ({ url, description }) => <span title={description}>{url}</span> },
    { title: 'Told of', cell: ({ kinds }) => (kinds.length === 0 ? 'everything' : kinds.join(', ')) },
    { title: 'State', cell: ({ state }) => <Pill state={state} /> },
    { title: 'Pending', right: true, cell: ({ pending }) => pending },
    { title: 'Given up', right: true, hint: 'in the last day', cell: ({ givenUp }) => givenUp },
    {
      title: 'Deliveries',
      cell: ({ id }) => (
        <button
          type="button"
          className="link"
          aria-expanded={open === id}
          onClick={() => setOpen(open === id ? undefined : id)}
        >
          {open === id ? 'hide' : 'show'}
        </button>
      ),
    },
  ];
  if (may) {
    columns.push({
      title: '',
      right: true,
      cell: ({ id, state, url }) => (
        <span className="buttons">
          <button type="button" onClick={() => act('POST', `/v1/webhooks/${id}/test`)} aria-label={`Test ${url}`}>
            Test
          </button>
          <button
            type="button"
            onClick={() => act('PATCH', `/v1/webhooks/${id}`, { state: state === 'active' ? 'paused' : 'active' })}
            aria-label={`${state === 'active' ? 'Pause' : 'Resume'} ${url}`}
          >
            {state === 'active' ? 'Pause' : 'Resume'}
          </button>
          <Confirm
            name="Remove"
            label={`Remove ${url}`}
            question="What is still to be delivered is dropped."
            yes="Remove it"
            onYes={() => act('DELETE', `/v1/webhooks/${id}`)}
          />
        </span>
      ),
    });
  }
  return columns;
}
