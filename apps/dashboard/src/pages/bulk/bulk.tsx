import { useState, type FormEvent } from 'react';
import { Card } from '../../components/card';
import { PageHead } from '../../components/page-head';
import { PriceFields, priceChange, type Price, type PriceMode } from '../../components/price-fields';
import { addressOf } from '../../period';
import { Link, useQuery } from '../../router';
import { useMay } from '../../session/session';
import { Failure } from './failure';
import { Rehearsal } from './rehearsal';
import { CRITERIA, Selection } from './selection';
import { useBulkEdit } from './use-bulk-edit';

const MODES: readonly PriceMode[] = ['default', 'fixed', 'piece', 'mib', 'formula', 'reprice'];

/** Changes the price of many torrents at once, after showing for each what that comes to. All or none are changed. */
export function BulkPage() {
  const may = useMay('money');
  const [query] = useQuery();
  const [price, setPrice] = useState<Price>(() => ({
    mode: MODES.find((mode) => mode === query.get('mode')) ?? 'formula',
    amount: '2',
  }));
  const chosen = Object.fromEntries(CRITERIA.map((name) => [name, query.get(name) ?? '']).filter(([, text]) => text));
  const select = Object.keys(chosen).length === 0 ? { all: true } : chosen;
  const edit = useBulkEdit({ select, change: priceChange(price) });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    edit.rehearse();
  };
  return (
    <>
      <PageHead
        title="Change prices"
        lead="Of many torrents at once: all of them or none. Running channels keep their terms."
      >
        <Link to={addressOf('/torrents', chosen)}>Back to the torrents</Link>
      </PageHead>
      {!may ? (
        <p className="muted">Only a key with the scope “money” may set prices.</p>
      ) : (
        <>
          <Selection />
          <Card title="New price">
            <form onSubmit={submit}>
              <PriceFields modes={MODES} price={price} invalid={false} onChange={setPrice} />
              <Failure failure={edit.failure} />
              <button type="submit" className="primary" disabled={edit.busy !== undefined}>
                {edit.busy === 'rehearse' ? 'Working it out…' : 'What would it come to?'}
              </button>
            </form>
          </Card>
          <Rehearsal edit={edit} />
        </>
      )}
    </>
  );
}
