import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { runFleetctl } from './fleetctl.js';

/** The command line against a server that notes what it is asked and answers as the market API would. */

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

const infoHash = 'd2474e86c95b19b8bcfdb92bc12c9d44667cfa36';
const torrent = {
  infoHash,
  name: 'Leaves of Grass',
  totalBytes: 362_017,
  pieceCount: 23,
  contentPath: '/srv/leaves.epub',
  sale: { state: 'on-sale', detail: '', progress: 1, nodesOnSale: 2, refusedNow: null },
  offer: { priceSat: '218', satPerMib: '13952.000' },
  totalSat: '5014',
  createdAt: '2026-01-02T03:04:05.678Z',
};

const takedown = { hash: infoHash, why: 'order 5', by: 'key:k1', at: '2026-01-02T03:04:05.678Z', lifted: null };

const making = { id: '7', path: '/srv/album', state: 'hashing', totalBytes: 200, hashedBytes: 50, files: 2 };
const made = { ...making, state: 'done', infoHash };
const channel = {
  id: 'c1',
  state: 'settling',
  stateReason: 'broadcast',
  transactions: [
    { role: 'child', txid: 'aa', state: 'replaced', reason: 'bb', feeSat: '192', confirmations: 0, replaces: null },
    { role: 'child', txid: 'bb', state: 'mempool', reason: 'few-safe-blocks', feeSat: '400', replaces: 'aa' },
  ],
  next: { what: 'follow-settlement', owner: 'settler', at: '2026-01-02T03:04:05.678Z' },
  story: [{ at: '2026-01-02T03:00:00.000Z', state: 'settling', reason: 'stored', data: {} }],
};

/** Every operation of the API with the command that asks it; the API's own spec holds it against its document. */
const OPERATIONS = JSON.parse(readFileSync(new URL('operations.json', import.meta.url), 'utf8')) as Record<
  string,
  { readonly command?: string; readonly query: readonly string[] }
>;

let server: Server;
let folder: string;
let asked: Asked[] = [];
let out = '';
let errors = '';

const answer = (request: Asked): [number, object] => {
  if (request.authorization !== 'Bearer sfk_test') return [401, { code: 'unauthenticated', detail: 'no key' }];
  const { pathname, searchParams } = new URL(request.url, 'http://x');
  if (pathname === '/v1/torrents' && request.method === 'POST') return [201, torrent];
  if (pathname === `/v1/torrents/${infoHash}` && request.method === 'GET') return [200, torrent];
  if (pathname === '/v1/makings') return request.method === 'POST' ? [202, making] : [200, page([making])];
  if (pathname.startsWith('/v1/makings/')) return [200, made];
  if (pathname === '/v1/content') return [200, { entries: [{ path: '/srv/a', kind: 'file', sizeBytes: 5 }] }];
  if (pathname === '/v1/torrents') {
    return [200, searchParams.has('cursor') ? page([torrent]) : { items: [torrent], nextCursor: 'more' }];
  }
  if (pathname === '/v1/takedowns' && request.method === 'GET') return [200, page([takedown])];
  if (pathname.startsWith('/v1/takedowns')) return [200, { ...takedown, removed: 3 }];
  if (pathname === '/v1/channels/c1') return [200, channel];
  if (pathname === '/v1/channels/c1/close') return [200, { id: 'c1', state: 'closing' }];
  if (pathname === '/v1/channels') return [200, page([])];
  if (pathname === '/v1/revenue') return [200, { totals: { revenueSat: '5014' }, ...page([]) }];
  if (pathname === '/v1/nodes') return [200, { items: [] }];
  if (pathname === '/v1/settings/cost-rates') return [200, { bandwidthSatPerGib: '0', diskSatPerGibMonth: '0' }];
  if (pathname.startsWith(`/v1/market/torrents/${infoHash}`)) return [200, page([])];
  if (pathname === `/v1/torrents/${infoHash}/advice`) return [200, {}];
  if (pathname === '/v1/api-keys')
    return request.method === 'POST' ? [201, { id: 'k1', key: 'sfk_new' }] : [200, page([])];
  if (pathname === '/v1/api-keys/k1/rotate') return [201, { id: 'k2', key: 'sfk_fresh', revoked: ['k1'] }];
  if (request.method === 'DELETE') return [204, {}];
  if (request.method === 'PATCH') return [200, { ...torrent, url: 'https://x', kinds: [] }];
  if (pathname === '/v1/channels/c1/books') {
    const postings = [
      { at: '2026-01-02T03:04:05.678Z', state: 'funded', reason: 'paid', entries: { accrued: '994', revenue: '-994' } },
    ];
    return [200, { balances: { buried: '6459', revenue: '-6909' }, postings }];
  }
  if (pathname === '/v1/offers/bulk')
    return [200, { matched: 2, changed: 1, refusedByDefaultBuyers: 1, declined: 0, items: [] }];
  if (pathname === '/v1/reports/export') return [200, { row: 1 }];
  if (pathname.startsWith('/v1/reports/') || pathname === '/v1/market/torrents') return [200, page([])];
  if (pathname === '/v1/webhooks')
    return request.method === 'POST' ? [201, { secret: 'whsec_x' }] : [200, { items: [] }];
  if (['/v1/audit', '/v1/events/log', '/v1/alerts'].includes(pathname)) return [200, page([])];
  return [404, { code: 'torrent-not-found', detail: 'the fleet has no such torrent' }];
};
const page = (items: object[]) => ({ items, nextCursor: null });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fleetctl-'));
  server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const { method = '', url = '', headers } = request;
      const note = { method, url, authorization: headers.authorization, body };
      asked.push(note);
      if (url.startsWith('/v1/events?')) {
        // Ends after each message, and is too busy once: a client that follows has to ask again.
        const next = Number(headers['last-event-id'] ?? 0) + 1;
        if (asked.filter((one) => one.url === url).length === 2) return void response.writeHead(503).end('busy');
        const message = `: hello\n\nevent: pulse\ndata: {}\n\nid: ${next}\ndata: {"kind":"offer.set","subject":"${next}"}\n\n`;
        response.writeHead(200, { 'content-type': 'text/event-stream' }).end(message);
        return;
      }
      const [status, json] = answer(note);
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(status === 204 ? '' : JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(join(folder, 'key'), 'sfk_test\n');
  writeFileSync(join(folder, 'run.json'), JSON.stringify({ marketApi: { url, keyFile: join(folder, 'key') } }));
  writeFileSync(join(folder, 'leaves.torrent'), 'd4:infodee');
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
  asked = [];
  out = errors = '';
  vi.stubEnv('INIT_CWD', folder);
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((errors += String(text)), true));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const run = (...args: string[]) => runFleetctl(['--state', '.', ...args]);

describe('fleetctl', () => {
  it('adds a torrent, with paths as the caller sees them', async () => {
    expect(await run('torrents', 'add', 'leaves.torrent', '--content', 'books/leaves.epub', '--wait', '--json')).toBe(
      0,
    );
    expect(asked[0]).toMatchObject({
      method: 'POST',
      url: '/v1/torrents',
      body: { metainfo: Buffer.from('d4:infodee').toString('base64'), contentPath: join(folder, 'books/leaves.epub') },
    });
    expect(JSON.parse(out)).toEqual(torrent);
  });

  it('makes torrents of folders and says how far it is', async () => {
    expect(
      await run('torrents', 'make', 'album', '--private', '--label', 'new', '--piece-length', '65536', '--wait'),
    ).toBe(0);
    const body = { path: join(folder, 'album'), private: true, labels: ['new'], pieceLengthBytes: 65_536 };
    expect(asked[0]).toMatchObject({ method: 'POST', url: '/v1/makings', body });
    expect(errors).toContain('hashing 25 %');
    expect(JSON.parse(out)).toEqual(torrent);
    out = '';
    expect(await run('torrents', 'makings', '--text')).toBe(0);
    expect(out).toContain('/srv/album');
    expect(await run('torrents', 'cancel', '7')).toBe(0);
    expect(asked.at(-1)).toMatchObject({ method: 'DELETE', url: '/v1/makings/7' });
    expect(await run('content', '--text')).toBe(0);
    expect(out).toContain('/srv/a');
  });

  it('lists page by page, up to the limit', async () => {
    expect(await run('torrents', 'list', '--json')).toBe(0);
    expect(JSON.parse(out)).toEqual({ items: [torrent, torrent], more: false });
    out = '';
    expect(await run('torrents', 'list', '--limit', '1', '--text')).toBe(0);
    expect(out).toContain('Leaves of Grass');
    expect(errors).toContain('there are more');
  });

  it('takes down by any kind of hash, with a reason, and lifts', async () => {
    expect(await run('takedown', infoHash)).toBe(2);
    expect(await run('takedown', 'abc', '--why', 'order 5')).toBe(2);
    expect(asked).toHaveLength(0);
    expect(await run('takedown', infoHash.toUpperCase(), '--why', 'order 5', '--text')).toBe(0);
    expect(asked[0]).toMatchObject({
      method: 'POST',
      url: '/v1/takedowns',
      body: { hash: infoHash, why: 'order 5', deleteContent: false },
    });
    asked = [];
    await run('takedown', infoHash, '--why', 'order 5', '--delete-content');
    expect(asked[0]).toMatchObject({ body: { deleteContent: true } });
    expect(out).toMatch(/why: +order 5\n/);
    expect(out).toContain('3 torrents');
    expect(await run('takedown', 'lift', 'ab'.repeat(32), '--why', 'withdrawn')).toBe(0);
    expect(asked[1]).toMatchObject({ url: `/v1/takedowns/${'ab'.repeat(32)}/lift`, body: { why: 'withdrawn' } });
    await run('takedown', infoHash, '--why', 'order 5', '--delete-content');
    expect(asked[2]).toMatchObject({ body: { deleteContent: true } });
    out = '';
    expect(await run('takedown', 'list', '--text')).toBe(0);
    expect(out).toContain('2026-01-02');
  });

  it('sends only the terms that were given', async () => {
    expect(await run('offers', 'set', infoHash, '--price', '7', '--lock', '20', '--max-sellers', '3')).toBe(1);
    expect(asked[0]).toMatchObject({ method: 'PUT', body: { priceSat: '7', lockUnits: 20, maxSellers: 3 } });
    expect(errors).toContain('the fleet has no such torrent (torrent-not-found)');
  });

  it('shows a channel with every transaction and what happens next', async () => {
    expect(await run('channels', 'show', 'c1', '--text')).toBe(0);
    expect(out).toMatch(/^next: +the settler follows .*, by 2026-01-02 03:04/m);
    expect(out).toMatch(/^child +aa +replaced +bb +192/m);
    expect(out).toMatch(/^child +bb +mempool +few-safe-blocks +400 .* aa$/m);
    expect(out).toMatch(/settling +stored/);
  });

  it('closes a channel with a reason only', async () => {
    expect(await run('channels', 'close', 'c1')).toBe(2);
    expect(await run('channels', 'close', '--why', 'takedown')).toBe(2);
    expect(asked).toHaveLength(0);
    expect(await run('channels', 'close', 'c1', '--why', 'takedown', '--json')).toBe(0);
    expect(asked[0]).toMatchObject({ method: 'POST', url: '/v1/channels/c1/close', body: { why: 'takedown' } });
  });

  it('switches the free tier on with both of its limits only', async () => {
    const set = ['offers', 'set', infoHash, '--price', '7', '--free-per-day', '5000'];
    expect(await run(...set)).toBe(2);
    expect(await run(...set, '--free-per-peer', '6000')).toBe(2);
    expect(asked).toHaveLength(0);
    await run(...set, '--free-per-peer', '1000');
    expect(asked[0]).toMatchObject({ body: { freeTier: { bytesPerDay: 5_000, bytesPerPeerDay: 1_000 } } });
  });

  it('prices by a rule, and many torrents at once, also only to see', async () => {
    await run('offers', 'set', infoHash, '--per-mib', '2.5', '--dry-run');
    expect(asked[0]).toMatchObject({
      url: `/v1/torrents/${infoHash}/offer?dryRun=true`,
      body: { price: { mode: 'mib', rate: '2.5' } },
    });
    asked = [];
    expect(
      await run('offers', 'bulk', '--label', 'films', '--formula', '2', '--lock', '30', '--dry-run', '--text'),
    ).toBe(0);
    expect(asked[0]).toMatchObject({
      method: 'POST',
      body: {
        select: { label: 'films' },
        change: { price: { mode: 'formula', rate: '2' }, lockUnits: 30 },
        dryRun: true,
      },
    });
    expect(out).toContain('2, of which 1 change');
    expect(errors).toContain('nothing was changed');
    asked = [];
    expect(await run('offers', 'bulk', '--tier', 'high', '--reprice')).toBe(0);
    expect(asked[0]).toMatchObject({ body: { select: { tier: 'high' }, change: { reprice: true }, dryRun: false } });
    for (const wrong of [
      ['offers', 'bulk', '--formula', '2'],
      ['offers', 'bulk', '--all', '--formula', '2', '--price', '3'],
      ['offers', 'set', infoHash],
      ['offers', 'set', infoHash, '--per-mib', 'much'],
      ['torrents', 'tier', infoHash],
      ['revenue', 'by', 'luck'],
      ['revenue', 'by', 'nodes', '--sort', 'lost'],
      ['revenue', 'total', '--from', 'yesterday'],
      ['export'],
      ['export', 'days', '--format', 'xml'],
      ['tiers', 'set', 'high'],
    ]) {
      expect(await run(...wrong), wrong.join(' ')).toBe(2);
    }
  });

  it('asks for reports, exports and the market as they are described', async () => {
    await run('revenue', 'by', 'torrents', '--sort', 'lost', '--from', '2026-01-01', '--search', 'red river');
    await run('revenue', 'by', 'days', '--node', 'node-1');
    await run('revenue', 'explain', 'buriedSat', '--torrent', infoHash);
    await run('market', 'list', '--available', '--sort', 'cheapest');
    const file = join(folder, 'days.json');
    expect(await run('export', 'days', '--format', 'json', '--out', file)).toBe(0);
    expect(asked.map(({ url }) => url.replace(/[?&]limit=\d+/, ''))).toEqual([
      '/v1/reports/torrents?from=2026-01-01&sort=lost&search=red+river',
      '/v1/reports/days?nodeId=node-1',
      `/v1/reports/explain?figure=buriedSat&infoHash=${infoHash}`,
      '/v1/market/torrents?sort=cheapest&available=true',
      '/v1/reports/export?of=days&format=json',
    ]);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ row: 1 });
  });

  it('labels and grades torrents', async () => {
    await run('torrents', 'label', infoHash, '--label', 'a', '--label', 'b');
    await run('torrents', 'tier', infoHash, 'lossless');
    expect(asked.map(({ method, body }) => ({ method, body }))).toEqual([
      { method: 'PATCH', body: { labels: ['a', 'b'] } },
      { method: 'PATCH', body: { tier: 'lossless' } },
    ]);
  });

  it('gives a refusal as JSON too', async () => {
    expect(await run('offers', 'show', infoHash, '--json')).toBe(1);
    expect(JSON.parse(out)).toEqual({
      error: { code: 'torrent-not-found', detail: 'the fleet has no such torrent' },
    });
  });

  it.each([
    ['channels list'],
    ['revenue'],
    ['nodes list'],
    ['keys list'],
    ['webhooks list'],
    ['audit'],
    ['events'],
    ['alerts'],
  ])('shows %s of an empty fleet', async (command) => {
    expect(await run(...command.split(' '))).toBe(0);
    expect(JSON.parse(out)).toBeTypeOf('object');
    out = '';
    expect(await run(...command.split(' '), '--text')).toBe(0);
    expect(out).not.toMatch(/^[{[]/);
  });

  it.each(
    Object.entries(OPERATIONS).flatMap(([name, { command, query }]) =>
      command === undefined ? [] : [{ name, command, query }],
    ),
  )('has a command for $name, with all that can be asked there', async ({ name, command, query }) => {
    await run(...command.split(' '));
    const [method = '', path = ''] = name.split(' ');
    const target = new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
    const fitting = asked
      .map(({ method: by, url }) => ({ by, url: new URL(url, 'http://x') }))
      .filter(({ by, url }) => by === method && target.test(url.pathname));
    expect(fitting, errors).not.toEqual([]);
    expect([...(fitting[0]?.url.searchParams.keys() ?? [])]).toEqual(expect.arrayContaining([...query]));
  });

  it('makes and revokes keys, and adds webhooks', async () => {
    expect(await run('keys', 'create', 'ci', '--scope', 'read', '--scope', 'operate', '--expires', '2031-01-02')).toBe(
      0,
    );
    expect(asked[0]?.body).toEqual({ name: 'ci', scopes: ['read', 'operate'], expiresAt: '2031-01-02T00:00:00.000Z' });
    expect(JSON.parse(out)).toMatchObject({ key: 'sfk_new' });
    expect(await run('keys', 'revoke', 'k1')).toBe(0);
    expect(asked[1]).toMatchObject({ method: 'DELETE', url: '/v1/api-keys/k1' });
    expect(await run('webhooks', 'add', 'https://x.example/', '--kind', 'channel.*')).toBe(0);
    expect(asked[2]?.body).toEqual({ url: 'https://x.example/', kinds: ['channel.*'], description: '' });
  });

  it('replaces a key that leaked, into a file, and revokes what was made with it', async () => {
    const file = join(folder, 'fresh.key');
    expect(await run('keys', 'rotate', 'k1', '--and-made', '--out', file)).toBe(0);
    expect(asked[0]).toMatchObject({ method: 'POST', url: '/v1/api-keys/k1/rotate', body: { made: true } });
    expect(out).not.toContain('sfk_fresh');
    expect(readFileSync(file, 'utf8')).toBe('sfk_fresh\n');
    expect(statSync(file).mode & 0o077).toBe(0);
    // Nothing is rotated where the new key could not be kept.
    expect(await run('keys', 'rotate', 'k1', '--out', join(folder, 'none', 'key'))).toBe(1);
    expect(asked).toHaveLength(1);
    expect(await run('keys', 'revoke', 'k1', '--and-made')).toBe(0);
    expect(asked[1]).toMatchObject({ method: 'DELETE', url: '/v1/api-keys/k1?made=true' });
  });

  it('changes webhooks, moves content, removes tiers and opens the books', async () => {
    expect(await run('webhooks', 'change', 'w1', '--kind', 'alert.*')).toBe(0);
    expect(asked[0]).toMatchObject({ method: 'PATCH', url: '/v1/webhooks/w1', body: { kinds: ['alert.*'] } });
    expect(await run('webhooks', 'change', 'w1')).toBe(2);
    expect(await run('torrents', 'move', infoHash, 'elsewhere')).toBe(0);
    expect(asked[1]).toMatchObject({ method: 'PATCH', body: { contentPath: join(folder, 'elsewhere') } });
    expect(await run('tiers', 'remove', 'rare')).toBe(0);
    expect(asked[2]).toMatchObject({ method: 'DELETE', url: '/v1/tiers/rare' });
    out = '';
    expect(await run('channels', 'books', 'c1', '--text')).toBe(0);
    expect(out).toMatch(/buried: +6,459/);
    expect(out).toMatch(/accrued 994, revenue -994/);
  });

  it('follows events over breaks, a line each', async () => {
    expect(await run('events', '--follow', '--kind', 'offer.*', '--limit', '2')).toBe(0);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).subject),
    ).toEqual(['1', '2']);
    expect(asked.map(({ url }) => url)).toEqual(Array(3).fill('/v1/events?kind=offer.*'));
  });

  it.each([['bash'], ['zsh']])('completes commands in %s', async (shell) => {
    expect(await run('completion', shell)).toBe(0);
    expect(out).toContain('keys) ');
    expect(out).toMatch(/list create revoke/);
    expect(out).toContain('--key-file');
    if (shell === 'bash') {
      const script = `${out}\nCOMP_WORDS=(fleetctl web); COMP_CWORD=1; _fleetctl; echo "$COMPREPLY"
        COMP_WORDS=(fleetctl webhooks red); COMP_CWORD=2; _fleetctl; echo "$COMPREPLY"`;
      expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' })).toBe('webhooks\nredeliver\n');
    }
  });

  it.each([
    [['keys', 'create', 'x']],
    [['keys', 'create', 'x', '--scope', 'all']],
    [['keys', 'revoke']],
    [['webhooks', 'redeliver', 'one']],
    [['audit', '--since', 'yesterday']],
    [['completion', 'fish']],
    [[]],
    [['torrents']],
    [['constructor']],
    [['torrents', 'add', 'leaves.torrent']],
    [['torrents', 'add', '--content', 'x']],
    [['torrents', 'list', '--price', '7']],
    [['torrents', 'list', '--nonsense']],
    [['offers', 'set', infoHash]],
    [['offers', 'set', 'abc', '--price', '7']],
    [['offers', 'set', infoHash, '--price', '7.5']],
    [['revenue', '--limit', 'many']],
    [['--api', 'ftp://x', '--key-file', 'key', 'revenue']],
  ])('answers misuse %j with the usage and exit code 2', async (args) => {
    const target = args[0] === '--api' ? [] : ['--state', '.'];
    expect(await runFleetctl([...target, ...args])).toBe(2);
    expect(errors).toContain('Usage:');
    expect(asked).toEqual([]);
  });

  it('shows how the command is used that was meant, where that can be told', async () => {
    expect(await runFleetctl(['--state', '.', 'torrents', 'resume', 'abc'])).toBe(2);
    expect(errors).toMatch(/abc is not an infohash[^]*torrents pause\|resume\|remove INFOHASH/);
    expect(errors).not.toContain('torrents add');
    errors = '';
    expect(await runFleetctl(['--state', '.', 'keys', 'nosuch'])).toBe(2);
    expect(errors).toMatch(/unknown command: keys nosuch[^]*keys list[^]*keys create[^]*keys revoke/);
    expect(errors).not.toContain('webhooks list');
    errors = '';
    expect(await runFleetctl(['nosuch'])).toBe(2);
    expect(errors).toMatch(/torrents add[^]*completion/);
  });

  it.each([
    [['--state', 'nowhere', 'revenue'], /no fleet runs there/],
    [['--api', 'http://127.0.0.1:1', '--key-file', 'key', 'revenue'], /does not answer/],
    [['--api', 'http://127.0.0.1:1', '--key-file', 'nokey', 'revenue'], /key in .*nokey can't be read/],
    [['--state', '.', 'torrents', 'add', 'none.torrent', '--content', 'x'], /none.torrent can't be read/],
  ])('fails %j with the cause', async (args, message) => {
    expect(await runFleetctl(args)).toBe(1);
    expect(errors).toMatch(message);
  });
});

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
}
