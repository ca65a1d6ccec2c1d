import { useEffect, useState, type FormEvent } from 'react';
import { send, wordsOf } from '../../api/client';
import type { Offer, OfferVersion, Page } from '../../api/types';
import { useLive } from '../../api/use-live';
import { Card } from '../../components/card';
import { DataTable, type Column } from '../../components/data-table';
import { moment, satoshi } from '../../format';
import { useMay } from '../../session/session';
import { Verdict } from './verdict';

const MODES = [
  ['default', 'What default buyers accept'],
  ['fixed', 'Satoshi per piece, whatever the tier'],
  ['mib', 'Satoshi per MiB'],
  ['formula', 'Default formula, at this rate per MB'],
] as const;
type Mode = (typeof MODES)[number][0] | 'piece';

/** Typing settles before the fleet is asked what it would come to. */
const SETTLE_MS = 350;

/** Sets what a torrent is sold for, after showing what that comes to. Running channels keep their terms. */
export function PriceEditor({ infoHash }: { readonly infoHash: string }) {
  const offer = useLive<Offer>(`/v1/torrents/${infoHash}/offer`, ['offer']);
  const history = useLive<Page<OfferVersion>>(`/v1/torrents/${infoHash}/offers?limit=6`, ['offer']);
  const may = useMay('money');
  const now = offer.value;
  return (
    <Card title="Price" failure={offer.failure}>
      {now === undefined ? (
        <p className="muted">Asking the fleet…</p>
      ) : (
        <>
          <p className="price">
            <strong>{satoshi(now.effective.priceSat)}</strong> sat per piece ·{' '}
            {Number(now.effective.satPerMib).toFixed(2)} sat per MiB
          </p>
          {may ? (
            <Editor key={now.effective.version} offer={now} etag={offer.etag} onSaved={offer.reload} />
          ) : (
            <Verdict offer={now} />
          )}
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
  readonly onSaved: () => void;
}

function Editor({ offer, etag, onSaved }: EditorProps) {
  const [mode, setMode] = useState<Mode>(() => modeOf(offer.set));
  const [amount, setAmount] = useState(() => offer.set?.price?.rate ?? offer.set?.priceSat ?? offer.effective.priceSat);
  const [preview, setPreview] = useState<Offer>();
  const [problem, setProblem] = useState<string>();
  const [saved, setSaved] = useState(false);
  const [busy, setBusy] = useState(false);
  const path = `/v1/torrents/${offer.infoHash}/offer`;
  const terms = JSON.stringify(termsOf(offer.set, mode, amount.trim()));

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
    const result = await send<Offer>('PUT', path, JSON.parse(terms) as object, etag);
    setBusy(false);
    setSaved(result.ok);
    if (result.ok) onSaved();
    else if (result.failure.kind === 'refused' && result.failure.code === 'precondition-failed') {
      setProblem('Somebody else has changed the price meanwhile. Look at it, then save again.');
      onSaved();
    } else setProblem(wordsOf(result.failure));
  };

  return (
    <form onSubmit={(event) => void save(event)} className="editor">
      <div className="fields">
        <label>
          Price mode
          <select value={mode} onChange={(event) => setMode(event.target.value as Mode)}>
            {mode === 'piece' && <option value="piece">Satoshi per piece, times the tier</option>}
            {MODES.map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        </label>
        {mode !== 'default' && (
          <label>
            {mode === 'fixed' || mode === 'piece'
              ? 'Price, satoshi per piece'
              : mode === 'mib'
                ? 'Satoshi per MiB'
                : 'Rate'}
            <input
              inputMode="decimal"
              value={amount}
              onChange={(event) => setAmount(event.target.value)}
              aria-invalid={problem !== undefined}
            />
          </label>
        )}
      </div>
      <div className="dry-run" role="status" aria-label="What it would come to">
        <h3>What it would come to</h3>
        {preview === undefined ? <p className="muted">…</p> : <Verdict offer={preview} />}
      </div>
      <p role="alert" className="problem">
        {problem}
      </p>
      <button type="submit" className="primary" disabled={busy || preview === undefined}>
        {busy ? 'Saving…' : saved ? 'Saved' : 'Set this price'}
      </button>
    </form>
  );
}

function modeOf(set: OfferVersion | null): Mode {
  if (set?.price !== null && set?.price !== undefined) return set.price.mode;
  return set?.priceSat === null || set?.priceSat === undefined ? 'default' : 'fixed';
}

/** The terms to send: the price as edited, everything else as it was. */
function termsOf(set: OfferVersion | null, mode: Mode, amount: string): object {
  const { lockUnits, settlementFeeSat, minContractFeePerKbSat, maxSellers, freeTier } = set ?? {};
  const kept = { lockUnits, settlementFeeSat, minContractFeePerKbSat, maxSellers, freeTier };
  switch (mode) {
    case 'default':
      return { ...kept, priceSat: null, price: null };
    case 'fixed':
      return { ...kept, priceSat: amount, price: null };
    default:
      return { ...kept, priceSat: null, price: { mode, rate: amount } };
  }
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
