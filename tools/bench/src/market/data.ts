import type pg from 'pg';

/** How much is in the database. */
export interface DataSize {
  readonly torrents: number;
  readonly channels: number;
}

export const sizeAt = (scale: number): DataSize => ({
  torrents: Math.max(100, Math.round(100_000 * scale)),
  channels: Math.max(1_000, Math.round(1_000_000 * scale)),
});

const NODES = 100;
const DAYS = 90;
/** Torrents of one day share their buyers' address ranges. */
const SUBNETS_PER_DAY = 200;

/**
 * A fleet's past, made by Postgres itself: torrents of which few sell much, channels in every state, and the postings and
 * entries that the triggers would have made of them, with their roll-ups. Roll-ups by hour are left out but for the
 * fleet's: no page reads those of torrents and nodes.
 */
export async function makeData(database: pg.Client, size: DataSize, say: (line: string) => void): Promise<void> {
  const step = async (what: string, sql: string): Promise<void> => {
    const startedMs = performance.now();
    const { rowCount } = await database.query(sql);
    say(
      `  ${what}: ${(rowCount ?? 0).toLocaleString('en-US')} rows, ${((performance.now() - startedMs) / 1000).toFixed(1)} s`,
    );
  };
  // What triggers would post is made here, and nothing else changes these tables meanwhile.
  await database.query("SET session_replication_role = replica; SET synchronous_commit = off; SET work_mem = '256MB'");
  await step('torrents', torrents(size));
  await step('prices', PRICES);
  await step('offers', offers(size));
  await step('nodes', nodes());
  await step('channels', channels(size));
  await step('postings', POSTINGS);
  await step('entries', ENTRIES);
  for (const [subject, key] of Object.entries(SUBJECTS)) await step(`days of ${subject}s`, days(subject, key));
  await step('hours of the fleet', FLEET_HOURS);
  await step('totals', TOTALS);
  await step('totals of torrents', TORRENT_TOTALS);
  await step('running balances', RUNNING);
  await database.query('DROP TABLE market.bench_posting; RESET session_replication_role');
  await database.query('VACUUM ANALYZE');
}

const hash = (text: string): string => `md5(${text}) || substr(md5(${text} || 'x'), 1, 8)`;

const torrents = ({ torrents: count }: DataSize): string => `
  INSERT INTO market.torrent ("infoHash", name, "pieceLength", "pieceCount", "totalBytes", metainfo, "contentPath", labels,
    "createdAt")
  SELECT ${hash("'torrent' || i")}, initcap(w.a || '.' || w.b) || '.' || i || '.S0' || i % 9, 1048576, (1000 + i % 3000)::int,
    (1000 + i % 3000) * 1048576::bigint, sha256(i::text::bytea), '/srv/content/' || i,
    ARRAY['label-' || i % 50, CASE i % 3 WHEN 0 THEN 'films' WHEN 1 THEN 'music' ELSE 'books' END],
    now() - i * interval '1 minute'
  FROM generate_series(1::bigint, ${count}) i
  CROSS JOIN LATERAL (SELECT (ARRAY['red','green','blue','silent','early','golden','lost','wild'])[1 + (i % 8)::int] AS a,
    (ARRAY['river','night','garden','mountain','letter','winter','ocean','city','road','house','island'])[1 + (i % 11)::int] AS b) w`;

const PRICES = `
  INSERT INTO market.torrent_price ("infoHash", "milliSatPerMib")
  SELECT "infoHash", 2000 + ('x' || substr("infoHash", 7, 6))::bit(24)::int % 9000 FROM market.torrent`;

const offers = ({ torrents: count }: DataSize): string => `
  INSERT INTO market.offer ("infoHash", version, "priceSat", "createdBy", "createdAt")
  SELECT ${hash("'torrent' || i")}, v, 2 + (i + v) % 9, 'bench', now() - (4 - v) * interval '1 day'
  FROM generate_series(1::bigint, ${count}) i CROSS JOIN generate_series(1, 3) v`;

const nodes = (): string => `
  INSERT INTO market.node (id, "peerAddress", version, "lastSeenAt")
  SELECT 'bench-' || i, '10.255.0.' || i || ':7881', '0', now() + interval '1 day' FROM generate_series(1, ${NODES}) i`;

/** Long enough for a torrent to be placed on a hundred nodes. */
const PLACED_MS = 300_000;

/**
 * Waits until the running service has given every torrent its places, which it does once when it first sees these nodes, and has
 * the nodes sell there.
 */
export async function sellWherePlaced(database: pg.Client): Promise<void> {
  const deadlineMs = performance.now() + PLACED_MS;
  for (;;) {
    const { rows } = await database.query<{ placed: boolean }>(PLACED);
    if (rows[0]?.placed === true) break;
    if (performance.now() > deadlineMs) throw new Error('the torrents were not placed');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const { rowCount } = await database.query(SEEDINGS);
  // They lie where they would be moved to, so the service need not look for such moves a minute later.
  await database.query('UPDATE market.placement_round SET "balancedFleet" = fleet');
  if ((rowCount ?? 0) > 0) await database.query('VACUUM ANALYZE market.seeding, market.placement, market.torrent');
}

const PLACED = `
  SELECT r.fleet <> '' AND NOT EXISTS (SELECT FROM market.torrent t WHERE t."placementDue") AS placed
  FROM market.placement_round r`;

const SEEDINGS = `
  INSERT INTO market.seeding ("nodeId", "infoHash", state, progress)
  SELECT "nodeId", "infoHash", 'on-sale', 1 FROM market.placement ON CONFLICT DO NOTHING`;

/** State, share of all in thousandths up to and with it, pieces paid. P is 7 and F 450, so 143 is the first collectable. */
const STATES: readonly (readonly [state: string, upTo: number, k: number])[] = [
  ['buried', 600, 900],
  ['settled', 630, 800],
  ['settling', 650, 700],
  ['funded', 750, 0],
  ['returned', 900, 100],
  ['lost', 920, 500],
  ['join-expired', 1000, 0],
];

/** What is left of L (20 units of 512 s) to serve a channel in, seconds. */
const SERVED_S = 20 * 512 - 1_800;

const channels = ({ channels: count, torrents: torrentCount }: DataSize): string => {
  const state = STATES.map(([name, upTo]) => `WHEN c.dice < ${upTo} THEN '${name}'`).join(' ');
  const k = STATES.map(([name, upTo, paid]) =>
    name === 'funded'
      ? `WHEN c.dice < ${upTo} THEN CASE i % 2 WHEN 0 THEN 100 ELSE 400 END`
      : `WHEN c.dice < ${upTo} THEN ${paid}`,
  ).join(' ');
  return `
  INSERT INTO channel.channel (id, "joinId", "nodeId", "infoHash", state, "stateReason", version, "termsIndex", "priceSat",
    "lockUnits", "settlementFeeSat", "minContractFeePerKbSat", "maxSellers", "buyerMaxPriceSat", "buyerMaxLockUnits",
    "buyerMaxContractFeePerKbSat", "pieceCount", "pieceLength", "totalBytes", "keyEpoch", "keyIndex", "sellerPublicKey",
    "sellerKeyHash", "peerAddress", "peerSubnet", "peerClient", "fundingTxid", "fundingVout", "fundingValueSat", "kMin",
    "kCap", k, signature, "frozenK", "settlementTxid", "createdAt", "stateEnteredAt", "deadlineMtp")
  SELECT gen_random_uuid(), i::text, 'bench-' || 1 + i % ${NODES}, ${hash("'torrent' || c.torrent")}, s.state, 'bench', 3, 0, 7,
    20, 450, 1024, 5, 7, 20, 1024, 1000, 1048576, 1048576000, 1000000, i, '\\x02', '\\x03',
    '10.' || c.day || '.' || c.torrent % ${SUBNETS_PER_DAY} || '.' || i % 250,
    '10.' || c.day || '.' || c.torrent % ${SUBNETS_PER_DAY} || '.0/24', 'bench', md5(i::text) || md5(i::text), 0, 7600, 143,
    1000, s.k, CASE WHEN s.k > 0 THEN '\\x04'::bytea END, CASE WHEN s.state IN ('funded', 'join-expired') THEN NULL ELSE s.k END,
    CASE WHEN s.state IN ('buried', 'settled', 'settling', 'returned') THEN md5('s' || i) || md5('s' || i) END,
    o.at, o.at + CASE s.state WHEN 'funded' THEN interval '1 minute' ELSE interval '3 hours' END,
    CASE s.state WHEN 'join-expired' THEN NULL ELSE extract(epoch FROM o.at)::int + ${SERVED_S} END
  FROM generate_series(1::bigint, ${count}) i
  CROSS JOIN LATERAL (
    -- The square makes a few torrents sell most. A torrent sells on three days.
    SELECT t.torrent, (t.torrent * 7 + i % 3 * 29) % ${DAYS} AS day, i * 7919 % 1000 AS dice,
      date_trunc('day', now(), 'UTC') - (t.torrent * 7 + i % 3 * 29) % ${DAYS} * interval '1 day'
        + i % 50000 * interval '1 second' AS at
    FROM (SELECT 1 + floor(${torrentCount} * power(i * 104729 % 1000003 / 1000003.0, 2))::int AS torrent) t
  ) c
  CROSS JOIN LATERAL (SELECT CASE ${state} END AS state, CASE ${k} END AS k) s
  -- What is open was opened within the time that its lock leaves, and rows lie in the order in which they came.
  CROSS JOIN LATERAL (SELECT CASE s.state WHEN 'funded' THEN now() - i % ${SERVED_S} * interval '1 second' ELSE c.at END AS at) o
  ORDER BY o.at`;
};

/** The postings of each state: the step that made it, and when after the channel was opened. */
const POSTINGS = `
  CREATE UNLOGGED TABLE market.bench_posting AS
  SELECT row_number() OVER () AS id, c.id AS "channelId", c.state, c.k, c."infoHash", c."nodeId", c."peerSubnet",
    p.step, c."createdAt" + p.place * interval '20 minutes' AS at
  FROM channel.channel c
  CROSS JOIN LATERAL unnest(CASE
    WHEN c.state = 'buried' THEN ARRAY['accrue', 'collect', 'send', 'mine', 'bury']
    WHEN c.state = 'settled' THEN ARRAY['accrue', 'collect', 'send', 'mine']
    WHEN c.state = 'settling' THEN ARRAY['accrue', 'collect', 'send']
    WHEN c.state = 'lost' THEN ARRAY['accrue', 'collect', 'lose']
    WHEN c.state = 'returned' THEN ARRAY['accrue', 'end']
    WHEN c.k >= 143 THEN ARRAY['accrue', 'collect']
    WHEN c.k > 0 THEN ARRAY['accrue'] ELSE ARRAY[]::text[] END) WITH ORDINALITY AS p(step, place);
  INSERT INTO channel.book_posting (id, "channelId", version, state, reason, at)
  SELECT id, "channelId", 3, state, 'bench', at FROM market.bench_posting`;

/** What each step moves, P = 7 and F = 450: the first 100 pieces accrue, the rest is collectable at once. */
const MOVES = `(VALUES
  ('accrue', 'accrued', 700, 0), ('accrue', 'revenue', -700, 0),
  ('collect', 'accrued', -700, 0), ('collect', 'collectable', -450, 7), ('collect', 'settlement-fee-reserved', 450, 0),
  ('collect', 'revenue', 700, -7),
  ('send', 'collectable', 450, -7), ('send', 'broadcast', -450, 7),
  ('mine', 'broadcast', 450, -7), ('mine', 'confirmed', -450, 7), ('mine', 'settlement-fee-reserved', -450, 0),
  ('mine', 'settlement-fee', 450, 0),
  ('bury', 'confirmed', 450, -7), ('bury', 'buried', -450, 7),
  ('lose', 'collectable', 450, -7), ('lose', 'settlement-fee-reserved', -450, 0), ('lose', 'lost', 0, 7),
  ('end', 'accrued', -700, 0), ('end', 'uncollectable', 700, 0)
) AS m(step, account, fixed, per_piece)`;

const ENTRIES = `
  INSERT INTO channel.book_entry ("postingId", account, "amountSat")
  SELECT p.id, m.account, m.fixed + m.per_piece * p.k FROM market.bench_posting p JOIN ${MOVES} ON m.step = p.step`;

const MEASURES = `
  SELECT p."infoHash", p."nodeId", p."peerSubnet", p.at, m.account AS measure, m.fixed + m.per_piece * p.k AS amount
  FROM market.bench_posting p JOIN ${MOVES} ON m.step = p.step
  UNION ALL
  SELECT p."infoHash", p."nodeId", p."peerSubnet", p.at, x.measure, x.amount FROM market.bench_posting p
  CROSS JOIN LATERAL (VALUES
    ('channels', CASE p.step WHEN 'accrue' THEN 1 ELSE 0 END),
    ('pieces', CASE p.step WHEN 'accrue' THEN 100 WHEN 'collect' THEN p.k - 100 ELSE 0 END)) AS x(measure, amount)
  WHERE x.amount <> 0`;

/** Those that occur here. */
const MEASURE_NAMES = [
  ...['channels', 'pieces', 'revenue', 'accrued', 'collectable', 'settlement-fee-reserved', 'broadcast', 'confirmed'],
  ...['buried', 'settlement-fee', 'uncollectable', 'lost'],
];

const SUBJECTS: Readonly<Record<string, string>> = {
  fleet: "''",
  torrent: '"infoHash"',
  node: '"nodeId"',
  buyer: '"peerSubnet"',
};

const days = (subject: string, key: string): string => `
  INSERT INTO channel.book_rollup (subject, period, key, start, measure, amount)
  SELECT '${subject}', 'day', ${key}, date_trunc('day', at, 'UTC'), measure, sum(amount)
  FROM (${MEASURES}) x GROUP BY 3, 4, 5 HAVING sum(amount) <> 0`;

const FLEET_HOURS = `
  INSERT INTO channel.book_rollup (subject, period, key, start, measure, amount)
  SELECT 'fleet', 'hour', '', date_trunc('hour', at, 'UTC'), measure, sum(amount)
  FROM (${MEASURES}) x GROUP BY 4, 5 HAVING sum(amount) <> 0`;

const TOTALS = `
  INSERT INTO channel.book_rollup (subject, period, key, start, measure, amount)
  SELECT subject, 'all', key, '-infinity', measure, sum(amount)
  FROM channel.book_rollup WHERE period = 'day' GROUP BY 1, 3, 5 HAVING sum(amount) <> 0`;

/** A row of each torrent, a column of each measure. */
const TORRENT_TOTALS = `
  INSERT INTO channel.book_torrent ("infoHash", ${MEASURE_NAMES.map((name) => `"${name}"`).join(', ')})
  SELECT key, ${MEASURE_NAMES.map((name) => `coalesce(sum(amount) FILTER (WHERE measure = '${name}'), 0)`).join(', ')}
  FROM channel.book_rollup WHERE subject = 'torrent' AND period = 'all' GROUP BY 1`;

const RUNNING = `
  INSERT INTO channel.book_running ("channelId", account, "amountSat")
  SELECT p."channelId", m.account, sum(m.fixed + m.per_piece * p.k) FROM market.bench_posting p JOIN ${MOVES} ON m.step = p.step
  GROUP BY 1, 2`;
