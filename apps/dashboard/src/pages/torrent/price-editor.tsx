import { useEffect, useState, type FormEvent } from 'react';
import { isStale, send, wordsOf } from '../../api/client';
import type { Offer, OfferVersion, Page } from '../../api/types';
import { useLive } from '../../api/use-live';
import { Card } from '../../components/card';
import { DataTable, type Column } from '../../components/data-table';
import { PriceFields, priceChange, type Price, type PriceMode } from '../../components/price-fields';
import { moment, rate, satoshi } from '../../format';
import { useMay } from '../../session/session';
import { Verdict } from './verdict';

const MODES: readonly PriceMode[] = ['default', 'fixed', 'piece', 'mib', 'formula'];

/** Typing settles before the fleet is asked what it would come to. */
const SETTLE_MS = 350;

/** Sets what a torrent is sold for, after showing what that comes to. Running channels keep their terms. */
export function PriceEditor({ infoHash }: { readonly infoHash: string }) {
  const offer = useLive<Offer>(`/v1/torrents/${infoHash}/offer`, ['offer']);
  const history = useLive<Page<OfferVersion>>(`/v1/torrents/${infoHash}/offers?limit=6`, ['offer']);
  const may = useMay('money');
  const [said, setSaid] = useState<string>();
  const now = offer.value;
  return (
    <Card title="Price" failure={offer.failure}>
      {now === undefined ? (
        <p className="muted">Asking the fleet…</p>
      ) : (
        <>
          <p className="price">
            <strong>{satoshi(now.effective.priceSat)}</strong> sat per piece · {rate(now.effective.satPerMib, 2)} sat
            per MiB
          </p>
          {may ? (
            <Editor key={now.effective.version} offer={now} etag={offer.etag} onSaid={setSaid} onSaved={offer.reload} />
          ) : (
            <Verdict offer={now} />
          )}
          <p role="status" className="good said">
            {said}
          </p>
          <h3>History</h3>
          <DataTable
            caption="What it was sold for"
            columns={HISTORY}
            rows={history.value?.items ?? []}
            keyOf={({ version }) => String(version)}
            empty="It was always sold at the default."
          />
        </>
      )}
    </Card>
  );
}

interface EditorProps {
  readonly offer: Offer;
  readonly etag: string | undefined;
  /** A new version is edited anew, so what is said of the old one is said outside. */
  readonly onSaid: (text: string | undefined) => void;
  readonly onSaved: () => void;
}

function Editor({ offer, etag, onSaid, onSaved }: EditorProps) {
  const [price, setPrice] = useState(() => priceOf(offer));
  const [preview, setPreview] = useState<Offer>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const path = `/v1/torrents/${offer.infoHash}/offer`;
  const terms = JSON.stringify(termsOf(offer.set, price));

  useEffect(() => {
    let stale = false;
    const timer = window.setTimeout(() => {
      void send<Offer>('PUT', `${path}?dryRun=true`, JSON.parse(terms) as object).then((result) => {
        if (stale) return;
        setPreview(result.ok ? result.value : undefined);
        setProblem(result.ok ? undefined : wordsOf(result.failure));
      });
    }, SETTLE_MS);
    return () => {
      stale = true;
      window.clearTimeout(timer);
    };
  }, [path, terms]);

  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const result = await send<Offer>('PUT', path, JSON.parse(terms) as object, { etag });
    setBusy(false);
    if (result.ok) onSaid('The new price holds for new channels.');
    else if (isStale(result.failure)) {
      onSaid('Not saved: somebody else has changed the price meanwhile. Look at it, then set yours again.');
    } else return setProblem(wordsOf(result.failure));
    onSaved();
  };

  const change = (next: Price): void => {
    onSaid(undefined);
    setPrice(next);
  };

  return (
    <form onSubmit={(event) => void save(event)} className="editor">
      <PriceFields modes={MODES} price={price} invalid={problem !== undefined} onChange={change} />
      <div className="dry-run" role="status" aria-label="What it would come to">
        <h3>What it would come to</h3>
        {preview === undefined ? <p className="muted">…</p> : <Verdict offer={preview} />}
      </div>
      <p role="alert" className="problem">
        {problem}
      </p>
      <button type="submit" className="primary" disabled={busy || preview === undefined}>
        {busy ? 'Saving…' : 'Set this price'}
      </button>
    </form>
  );
}

function priceOf({ set, effective }: Offer): Price {
  const amount = set?.price?.rate ?? set?.priceSat ?? effective.priceSat;
  if (set?.price !== null && set?.price !== undefined) return { mode: set.price.mode, amount };
  return { mode: set?.priceSat === null || set?.priceSat === undefined ? 'default' : 'fixed', amount };
}

/** The terms to send: the price as edited, everything else as it was. */
function termsOf(set: OfferVersion | null, price: Price): object {
  const { lockUnits, settlementFeeSat, minContractFeePerKbSat, maxSellers, freeTier } = set ?? {};
  const kept = { lockUnits, settlementFeeSat, minContractFeePerKbSat, maxSellers, freeTier };
  return { ...kept, priceSat: null, price: null, ...priceChange(price) };
}

const HISTORY: readonly Column<OfferVersion>[] = [
  { title: 'When', cell: ({ createdAt }) => <time dateTime={createdAt}>{moment(createdAt)}</time> },
  {
    title: 'Price',
    right: true,
    cell: ({ priceSat, price }) =>
      priceSat === null
        ? 'default'
        : `${satoshi(priceSat)}${price === null ? '' : ` (${price.rate} per ${price.mode})`}`,
  },
];
