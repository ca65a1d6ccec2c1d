import type { Tier } from '../../api/types';
import { useLive } from '../../api/use-live';
import { Card } from '../../components/card';
import { Search } from '../../components/search';
import { useQuery } from '../../router';

/** Parameters of the address that say which torrents; without any, all. */
export const CRITERIA = ['label', 'tier', 'search', 'state'] as const;

/** Which torrents; in the address, so that other pages lead here with a choice made. */
export function Selection() {
  const [query, setQuery] = useQuery();
  const tiers = useLive<{ readonly items: readonly Tier[] }>('/v1/tiers', ['tier']);
  const every = CRITERIA.every((name) => !query.has(name));
  return (
    <Card title="Which torrents" failure={tiers.failure}>
      <div className="fields">
        <label>
          With the label
          <Search label="Label" value={query.get('label') ?? ''} onSearch={(label) => setQuery({ label })} />
        </label>
        <label>
          Of the tier
          <select value={query.get('tier') ?? ''} onChange={(event) => setQuery({ tier: event.target.value })}>
            <option value="">any</option>
            {tiers.value?.items.map(({ name, multiplier }) => (
              <option key={name} value={name}>
                {name} (× {multiplier})
              </option>
            ))}
          </select>
        </label>
        <label>
          Whose name has
          <Search label="Name" value={query.get('search') ?? ''} onSearch={(search) => setQuery({ search })} />
        </label>
        <label>
          In the state
          <select value={query.get('state') ?? ''} onChange={(event) => setQuery({ state: event.target.value })}>
            <option value="">active or paused</option>
            <option value="active">active</option>
            <option value="paused">paused</option>
          </select>
        </label>
      </div>
      <p className="muted hint">{every ? 'Nothing is said: every torrent.' : 'Torrents that fit everything said.'}</p>
    </Card>
  );
}
