import { useState, type FormEvent } from 'react';
import { isStale, send, wordsOf } from '../../api/client';
import type { CostRates } from '../../api/types';
import { useLive } from '../../api/use-live';
import { Card } from '../../components/card';
import { useMay } from '../../session/session';

const PATH = '/v1/settings/cost-rates';
const RATES = [
  ['bandwidthSatPerGib', 'Bandwidth, satoshi per GiB sent'],
  ['diskSatPerGibMonth', 'Disk, satoshi per GiB kept for 30 days, per node'],
] as const;

interface Draft {
  readonly rates: CostRates;
  /** Of what was seen when the typing began; undefined: of what is seen now. */
  readonly etag: string | undefined;
}

/** What a GiB sent and a GiB kept cost the operator: profit is what was mined and buried, less that. */
export function CostRatesCard() {
  const may = useMay('money');
  const rates = useLive<CostRates>(PATH, ['settings']);
  const [draft, setDraft] = useState<Draft>();
  const [problem, setProblem] = useState<string>();
  const [saved, setSaved] = useState(false);
  const now = rates.value;
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (draft === undefined) return;
    const body = Object.fromEntries(RATES.map(([name]) => [name, draft.rates[name].trim()]));
    const result = await send<CostRates>('PUT', PATH, body, { etag: draft.etag ?? rates.etag });
    setSaved(result.ok);
    setProblem(result.ok ? undefined : wordsOf(result.failure));
    if (result.ok) setDraft(undefined);
    else if (isStale(result.failure)) {
      setProblem('Somebody else has set other rates meanwhile. Save again to have it your way.');
      setDraft({ ...draft, etag: undefined });
    }
    rates.reload();
  };
  return (
    <Card title="What serving costs" failure={rates.failure}>
      <p className="muted">Profit is what was mined and buried, less bandwidth and disk at these rates.</p>
      {now === undefined ? (
        <p className="muted">Asking the fleet…</p>
      ) : (
        <form onSubmit={(event) => void save(event)}>
          <div className="fields">
            {RATES.map(([name, title]) => (
              <label key={name}>
                {title}
                <input
                  inputMode="decimal"
                  required
                  maxLength={20}
                  readOnly={!may}
                  value={(draft?.rates ?? now)[name]}
                  onChange={(event) => {
                    setSaved(false);
                    setDraft({
                      etag: rates.etag,
                      ...draft,
                      rates: { ...(draft?.rates ?? now), [name]: event.target.value },
                    });
                  }}
                />
              </label>
            ))}
          </div>
          <p role="alert" className="problem">
            {problem}
          </p>
          {may ? (
            <button type="submit" className="primary" disabled={draft === undefined}>
              {saved ? 'Saved' : 'Set these rates'}
            </button>
          ) : (
            <p className="muted">Only a key with the scope “money” may change them.</p>
          )}
        </form>
      )}
    </Card>
  );
}
