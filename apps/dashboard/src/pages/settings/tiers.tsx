import { useState } from 'react';
import { send, wordsOf } from '../../api/client';
import type { Tier } from '../../api/types';
import { useLive, waiting } from '../../api/use-live';
import { Card } from '../../components/card';
import { Confirm } from '../../components/confirm';
import { DataTable, type Column } from '../../components/data-table';
import { count } from '../../format';
import { addressOf } from '../../period';
import { Link } from '../../router';
import { useMay } from '../../session/session';
import { TierForm } from './tier-form';

/** The tier that torrents have when nobody says another; it stays. */
const STANDARD = 'standard';

/** Quality tiers: how much dearer than the rule a torrent of them is. */
export function TiersCard() {
  const may = useMay('money');
  const tiers = useLive<{ readonly items: readonly Tier[] }>('/v1/tiers', ['tier', 'torrent']);
  const [open, setOpen] = useState<string>();
  const [changed, setChanged] = useState<string>();
  /** Counts the forms that were done: what somebody else makes meanwhile must not empty this one. */
  const [made, setMade] = useState(0);
  const [problem, setProblem] = useState<string>();
  const rows = tiers.value?.items ?? [];
  const remove = async (name: string): Promise<void> => {
    const result = await send('DELETE', `/v1/tiers/${name}`);
    setProblem(result.ok ? undefined : wordsOf(result.failure));
    tiers.reload();
  };
  const done = (name: string): void => {
    setOpen(undefined);
    setChanged(name);
    tiers.reload();
  };
  return (
    <Card title="Quality tiers" failure={tiers.failure}>
      <p className="muted">
        A price by rule is multiplied by the torrent’s tier. A changed multiplier takes effect where torrents are
        repriced.
      </p>
      <div role="status">
        {changed !== undefined && (
          <p className="banner good">
            The tier {changed} is set. Prices follow when its torrents are repriced.
            <Link to={addressOf('/torrents/prices', { tier: changed, mode: 'reprice' })}>Reprice them</Link>
          </p>
        )}
      </div>
      <p role="alert" className="problem">
        {problem}
      </p>
      <DataTable
        caption="Quality tiers"
        columns={may ? [...COLUMNS, actions(open, setOpen, (name) => void remove(name))] : COLUMNS}
        rows={rows}
        keyOf={({ name }) => name}
        empty={tiers.value === undefined ? waiting(tiers) : 'No tier yet.'}
        details={(tier) => (tier.name === open ? <TierForm tier={tier} known={[]} onDone={done} /> : null)}
      />
      {may && (
        <>
          <h3>New tier</h3>
          <TierForm
            key={made}
            known={rows.map(({ name }) => name)}
            onDone={(name) => {
              setMade(made + 1);
              done(name);
            }}
          />
        </>
      )}
    </Card>
  );
}

const COLUMNS: readonly Column<Tier>[] = [
  { title: 'Tier', cell: ({ name }) => <strong>{name}</strong> },
  { title: 'Times dearer', right: true, cell: ({ multiplier }) => `× ${multiplier}` },
  {
    title: 'Torrents',
    right: true,
    cell: ({ name, torrents }) => <Link to={addressOf('/torrents', { tier: name })}>{count(torrents)}</Link>,
  },
  { title: 'What it means', cell: ({ description }) => description || '–' },
];

function actions(
  open: string | undefined,
  setOpen: (name: string | undefined) => void,
  remove: (name: string) => void,
): Column<Tier> {
  return {
    title: '',
    right: true,
    cell: ({ name, torrents }) => (
      <span className="buttons">
        <button
          type="button"
          aria-expanded={open === name}
          aria-label={`${open === name ? 'Close' : 'Change'} ${name}`}
          onClick={() => setOpen(open === name ? undefined : name)}
        >
          {open === name ? 'Close' : 'Change'}
        </button>
        {name !== STANDARD && torrents === 0 && (
          <Confirm
            name="Remove"
            label={`Remove ${name}`}
            question={`Remove the tier ${name}?`}
            yes="Remove it"
            onYes={() => remove(name)}
          />
        )}
      </span>
    ),
  };
}
