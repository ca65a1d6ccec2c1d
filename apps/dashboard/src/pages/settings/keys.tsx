import { useState, type FormEvent } from 'react';
import { send, wordsOf } from '../../api/client';
import type { ApiKey } from '../../api/types';
import { usePages, waiting } from '../../api/use-live';
import { Card } from '../../components/card';
import { Confirm } from '../../components/confirm';
import { ShownOnce } from '../../components/copy';
import { DataTable, type Column } from '../../components/data-table';
import { Pager } from '../../components/pager';
import { Pill } from '../../components/pill';
import { ago, moment } from '../../format';
import { useMay, type Scope } from '../../session/session';

const SCOPES: readonly (readonly [Scope, string])[] = [
  ['read', 'look at everything'],
  ['operate', 'add, pause and remove torrents, manage webhooks'],
  ['money', 'set prices and manage keys'],
];
const LIVES = [
  ['', 'never expires'],
  ['1', 'for a day'],
  ['30', 'for 30 days'],
  ['365', 'for a year'],
] as const;
const DAY_MS = 86_400_000;

export function KeysCard() {
  const may = useMay('money');
  if (!may) return <p className="muted">Only a key with the scope “money” may see and manage keys.</p>;
  return <Keys />;
}

function Keys() {
  const keys = usePages<ApiKey>('/v1/api-keys?limit=25', ['api-key', 'session']);
  const [problem, setProblem] = useState<string>();
  const revoke = async (id: string): Promise<void> => {
    const result = await send('DELETE', `/v1/api-keys/${id}`);
    setProblem(result.ok ? undefined : wordsOf(result.failure));
    keys.reload();
  };
  return (
    <>
      <NewKey onMade={keys.reload} />
      <Card title="API keys" failure={keys.failure}>
        {problem !== undefined && (
          <p role="alert" className="problem">
            {problem}
          </p>
        )}
        <DataTable
          caption="API keys"
          columns={columns((id) => void revoke(id))}
          rows={keys.value?.items ?? []}
          keyOf={({ id }) => id}
          empty={waiting(keys)}
        />
        <Pager list={keys} name="keys" />
      </Card>
    </>
  );
}

function NewKey({ onMade }: { readonly onMade: () => void }) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly Scope[]>(['read']);
  const [days, setDays] = useState('');
  const [made, setMade] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const expiresAt = days === '' ? null : new Date(Date.now() + Number(days) * DAY_MS).toISOString();
    const result = await send<{ key: string }>('POST', '/v1/api-keys', { name: name.trim(), scopes, expiresAt });
    if (!result.ok) return setProblem(wordsOf(result.failure));
    setProblem(undefined);
    setMade(result.value.key);
    setName('');
    onMade();
  };
  const toggle = (scope: Scope) =>
    setScopes((before) => (before.includes(scope) ? before.filter((each) => each !== scope) : [...before, scope]));
  return (
    <Card title="New key">
      {made !== undefined && <ShownOnce name="The new key" text={made} onDone={() => setMade(undefined)} />}
      <form onSubmit={(event) => void submit(event)}>
        <div className="fields">
          <label>
            Name
            <input required maxLength={80} value={name} onChange={(event) => setName(event.target.value)} />
          </label>
          <label>
            It lives
            <select value={days} onChange={(event) => setDays(event.target.value)}>
              {LIVES.map(([value, title]) => (
                <option key={value} value={value}>
                  {title}
                </option>
              ))}
            </select>
          </label>
        </div>
        <fieldset>
          <legend>It may</legend>
          {SCOPES.map(([scope, meaning]) => (
            <label key={scope} className="check">
              <input type="checkbox" checked={scopes.includes(scope)} onChange={() => toggle(scope)} />
              <span>
                <strong>{scope}</strong> <span className="muted">{meaning}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <p role="alert" className="problem">
          {problem}
        </p>
        <button type="submit" className="primary" disabled={scopes.length === 0}>
          Make the key
        </button>
      </form>
    </Card>
  );
}

function columns(revoke: (id: string) => void): readonly Column<ApiKey>[] {
  const now = new Date().toISOString();
  return [
    { title: 'Name', cell: ({ name }) => <strong className="name">{name}</strong> },
    { title: 'May', cell: ({ scopes }) => scopes.join(', ') },
    { title: 'State', cell: ({ state }) => <Pill state={state} /> },
    { title: 'Made', cell: ({ createdAt }) => moment(createdAt) },
    { title: 'Expires', cell: ({ expiresAt }) => (expiresAt === null ? 'never' : moment(expiresAt)) },
    { title: 'Last used', cell: ({ lastUsedAt }) => (lastUsedAt === null ? 'never' : `${ago(lastUsedAt, now)} ago`) },
    {
      title: '',
      right: true,
      cell: ({ id, name, state }) =>
        state === 'active' && (
          <Confirm
            name="Revoke"
            label={`Revoke ${name}`}
            question="Whoever uses it is locked out at once."
            yes="Revoke it"
            onYes={() => revoke(id)}
          />
        ),
    },
  ];
}
