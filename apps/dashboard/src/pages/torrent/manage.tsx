import { useState, type FormEvent } from 'react';
import { isStale, send, wordsOf } from '../../api/client';
import type { Tier, TorrentDetail } from '../../api/types';
import { useLive } from '../../api/use-live';
import { Card } from '../../components/card';
import { labelsIn } from '../../components/label-text';
import { useMay } from '../../session/session';
import { Remove } from './remove';

interface ManageProps {
  readonly torrent: TorrentDetail;
  /** Of the torrent as it is shown. */
  readonly etag: string | undefined;
  readonly onChanged: () => void;
}

interface Draft {
  readonly labels: string;
  readonly tier: string;
  /** Of what was seen when the typing began; undefined: of what is seen now. */
  readonly etag: string | undefined;
}

/** Labels and quality tier of a torrent, and taking it off sale for good. */
export function Manage({ torrent, etag, onChanged }: ManageProps) {
  const may = useMay('operate');
  const mayGrade = useMay('money');
  const tiers = useLive<{ readonly items: readonly Tier[] }>('/v1/tiers', ['tier']);
  const [draft, setDraft] = useState<Draft>();
  const [problem, setProblem] = useState<string>();
  const [saved, setSaved] = useState(false);
  const [busy, setBusy] = useState(false);
  const now = { labels: torrent.labels.join(', '), tier: torrent.tier };
  const shown = draft ?? { ...now, etag };
  const edit = (change: Partial<Draft>): void => {
    setSaved(false);
    setDraft({ etag, ...draft, labels: shown.labels, tier: shown.tier, ...change });
  };
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const labels = labelsIn(shown.labels);
    const body = {
      ...(labels.join() === torrent.labels.join() ? {} : { labels }),
      ...(shown.tier === torrent.tier ? {} : { tier: shown.tier }),
    };
    if (Object.keys(body).length === 0) return setDraft(undefined);
    setBusy(true);
    const result = await send('PATCH', `/v1/torrents/${torrent.infoHash}`, body, { etag: shown.etag ?? etag });
    setBusy(false);
    setSaved(result.ok);
    setProblem(result.ok ? undefined : wordsOf(result.failure));
    if (result.ok) setDraft(undefined);
    else if (isStale(result.failure)) {
      setProblem('The torrent was changed meanwhile; above stands what it is now. Save again to have it your way.');
      setDraft({ ...shown, etag: undefined });
    }
    onChanged();
  };
  if (!may || torrent.state === 'removed') return null;
  return (
    <Card title="Labels and tier" failure={tiers.failure}>
      <form onSubmit={(event) => void save(event)}>
        <div className="fields">
          <label>
            Labels, with commas between
            <input
              value={shown.labels}
              maxLength={900}
              placeholder="film, 4k"
              onChange={(event) => edit({ labels: event.target.value })}
            />
          </label>
          <label>
            Quality tier
            <select
              value={shown.tier}
              disabled={!mayGrade}
              title={mayGrade ? undefined : 'It changes prices: that takes a key with the scope “money”.'}
              onChange={(event) => edit({ tier: event.target.value })}
            >
              {(tiers.value?.items ?? [{ name: shown.tier, multiplier: '…' }]).map(({ name, multiplier }) => (
                <option key={name} value={name}>
                  {name} (× {multiplier})
                </option>
              ))}
            </select>
          </label>
        </div>
        <p className="muted hint">
          A price that follows from a rule is multiplied by the tier; an exact price stays as it is.
        </p>
        <p role="alert" className="problem">
          {problem}
        </p>
        <span className="buttons">
          <button type="submit" className="primary" disabled={busy || draft === undefined}>
            {busy ? 'Saving…' : saved ? 'Saved' : 'Save'}
          </button>
          {draft !== undefined && (
            <button type="button" onClick={() => (setDraft(undefined), setProblem(undefined))}>
              Discard
            </button>
          )}
        </span>
      </form>
      <Remove torrent={torrent} onRemoved={onChanged} />
    </Card>
  );
}
