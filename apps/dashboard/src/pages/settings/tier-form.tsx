import { useState, type FormEvent } from 'react';
import { isStale, send, wordsOf } from '../../api/client';
import type { Tier } from '../../api/types';
import { useLive } from '../../api/use-live';

interface TierFormProps {
  /** Absent: a new one. */
  readonly tier?: Tier;
  /** Names that a new one can't have. */
  readonly known: readonly string[];
  readonly onDone: (name: string) => void;
}

/** Makes a tier, or changes one. */
export function TierForm({ tier, known, onDone }: TierFormProps) {
  const [name, setName] = useState(tier?.name ?? '');
  const [multiplier, setMultiplier] = useState(tier?.multiplier ?? '');
  const [description, setDescription] = useState(tier?.description ?? '');
  const [problem, setProblem] = useState<string>();
  // The list has no tags; what is seen here when it opens is what may be replaced.
  const seen = useLive<Tier>(tier === undefined ? null : `/v1/tiers/${tier.name}`);
  const [first, setFirst] = useState<string>();
  const [warned, setWarned] = useState(false);
  if (first === undefined && seen.etag !== undefined) setFirst(seen.etag);
  // Whoever was told of the other change and saves again means it, whatever is there by then.
  const etag = warned ? undefined : first;
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const wanted = name.trim();
    if (known.includes(wanted)) return setProblem(`There is a tier ${wanted} already: change that one.`);
    const body = { multiplier: multiplier.trim(), description: description.trim() };
    const result = await send('PUT', `/v1/tiers/${encodeURIComponent(wanted)}`, body, { etag });
    if (result.ok) return onDone(wanted);
    if (!isStale(result.failure)) return setProblem(wordsOf(result.failure));
    setProblem('Somebody else has changed it meanwhile. Save again to have it your way.');
    setWarned(true);
  };
  return (
    <form onSubmit={(event) => void save(event)}>
      <div className="fields">
        {tier === undefined && (
          <label>
            Name
            <input
              required
              maxLength={32}
              pattern="[a-z0-9][a-z0-9\-]*"
              title="lowercase letters, digits and -"
              placeholder="remaster"
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          </label>
        )}
        <label>
          Times dearer
          <input
            required
            inputMode="decimal"
            maxLength={7}
            placeholder="1.5"
            value={multiplier}
            onChange={(event) => setMultiplier(event.target.value)}
          />
        </label>
        <label>
          What it means
          <input maxLength={200} value={description} onChange={(event) => setDescription(event.target.value)} />
        </label>
      </div>
      <p role="alert" className="problem">
        {problem}
      </p>
      <button
        type="submit"
        className={tier === undefined ? '' : 'primary'}
        disabled={tier !== undefined && first === undefined}
      >
        {tier === undefined ? 'Make the tier' : 'Save'}
      </button>
    </form>
  );
}
