/** A period of whole days (UTC) in the address of a page: `from` and `to`, each included, each may be absent. */

const NAMES = ['from', 'to'] as const;

export function periodIn(query: URLSearchParams): URLSearchParams {
  const period = new URLSearchParams();
  for (const name of NAMES) {
    const day = query.get(name) ?? '';
    if (/^20\d\d-\d\d-\d\d$/.test(day)) period.set(name, day);
  }
  return period;
}

/** "from 2026-01-01 to 2026-01-31", "since …", "until …", "over all time". */
export function periodWords(period: URLSearchParams): string {
  const [from, to] = NAMES.map((name) => period.get(name));
  if (typeof from === 'string' && typeof to === 'string') return from === to ? `on ${from}` : `from ${from} to ${to}`;
  if (typeof from === 'string') return `since ${from}`;
  return typeof to === 'string' ? `until ${to}` : 'over all time';
}

/** An address with more parameters; those that are given replace its own. */
export function addressOf(path: string, ...queries: readonly (URLSearchParams | Readonly<Record<string, string>>)[]) {
  const all = new URLSearchParams();
  for (const query of queries) for (const [name, value] of new URLSearchParams(query)) if (value) all.set(name, value);
  const text = all.toString();
  return text === '' ? path : `${path}?${text}`;
}
