import { Agent, request } from 'node:http';
import type { Answer } from './load.js';

/** The pages that are measured, asked as people would: other orders, other words, on from page to page. */

export interface Api {
  readonly url: string;
  readonly key: string;
}

export interface Page {
  readonly name: string;
  readonly ask: () => Promise<Answer>;
}

const WORDS = ['red', 'river', 'night', 'gold', 'wint', 'mountain s03', 'ocean', '77', 'lost letter'];
const MOST_CURSORS = 500;

export function pages(api: Api, infoHashes: readonly string[]): readonly Page[] {
  return [
    {
      name: 'revenue per torrent',
      ask: walker(api, '/v1/reports/torrents', () =>
        pick([
          { sort: 'revenue', sparkDays: '30' },
          { sort: 'buried', sparkDays: '30' },
          { sort: 'lost' },
          { sort: 'collectable' },
          { sort: 'channels', label: 'films' },
          { sort: 'revenue', search: pick(WORDS) },
        ]),
      ),
    },
    {
      name: 'channel list',
      ask: walker(api, '/v1/channels', () =>
        pick([
          {},
          { state: 'funded' },
          { state: 'lost' },
          { state: 'settling' },
          { infoHash: pick(infoHashes) },
          { nodeId: `bench-${1 + Math.floor(Math.random() * 100)}` },
        ]),
      ),
    },
    {
      name: 'public market',
      ask: walker(api, '/v1/market/torrents', () =>
        pick([
          { sort: pick(['newest', 'name', 'cheapest', 'dearest', 'smallest', 'largest']) },
          { sort: 'newest', available: 'true' },
          { sort: pick(['newest', 'cheapest']), search: pick(WORDS) },
        ]),
      ),
    },
    {
      name: 'offer change',
      ask: () =>
        send(api, 'PUT', `/v1/torrents/${pick(infoHashes)}/offer`, {
          priceSat: String(2 + Math.floor(Math.random() * 9)),
        }),
    },
  ];
}

/** A first page, or the page after one that was seen before. */
function walker(api: Api, path: string, query: () => Record<string, string | undefined>): () => Promise<Answer> {
  const seen: URLSearchParams[] = [];
  return async () => {
    const known = Math.random() < 0.5 ? seen[Math.floor(Math.random() * seen.length)] : undefined;
    const asked = known ?? new URLSearchParams(query() as Record<string, string>);
    const answer = await send(api, 'GET', `${path}?${asked}`);
    const [, cursor] = /"nextCursor":"([^"]+)"/.exec(answer.text) ?? [];
    if (cursor !== undefined) {
      const next = new URLSearchParams(asked);
      next.set('cursor', cursor);
      if (seen.length < MOST_CURSORS) seen.push(next);
      else seen[Math.floor(Math.random() * MOST_CURSORS)] = next;
    }
    return answer;
  };
}

/** As many connections as a busy site's proxy keeps. */
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** Through Node's own client, which costs a fifth of what `fetch` does: both cores are the service's as far as can be. */
export function send(api: Api, method: 'GET' | 'PUT', path: string, body?: object): Promise<Answer> {
  const content = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const asked = request(
      `${api.url}${path}`,
      {
        method,
        agent,
        headers: {
          authorization: `Bearer ${api.key}`,
          ...(content === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
        },
      },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.once('error', reject);
        answer.once('end', () => {
          const status = answer.statusCode ?? 0;
          resolve({ ok: status >= 200 && status < 300, text: Buffer.concat(parts).toString('utf8') });
        });
      },
    );
    asked.once('error', reject);
    asked.end(content);
  });
}

function pick<T>(list: readonly T[]): T {
  return list[Math.floor(Math.random() * list.length)] as T;
}
