import { readFileSync } from 'node:fs';

/** What the Postgres driver wants to hear of a URL. */
export function connectionParts(url: string) {
  const parsed = new URL(url);
  return {
    host: parsed.hostname,
    port: Number(parsed.port || 5432),
    user: decodeURIComponent(parsed.username),
    ...(parsed.password === '' ? {} : { password: decodeURIComponent(parsed.password) }),
    database: decodeURIComponent(parsed.pathname.slice(1)),
    ...tlsParts(parsed.searchParams),
  };
}

/** The certificates that the URL names, as libpq's parameters. */
function tlsParts(parameters: URLSearchParams): { ssl?: { ca?: string; cert?: string; key?: string } } {
  const read = (name: string): string | undefined => {
    const path = parameters.get(name);
    return path === null ? undefined : readFileSync(path, 'utf8');
  };
  const ca = read('sslrootcert');
  const cert = read('sslcert');
  const key = read('sslkey');
  if (ca === undefined && cert === undefined) return {};
  return {
    ssl: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
  };
}
