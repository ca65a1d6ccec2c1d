import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bus, paymentPartition, paymentStream } from '@seedfleet/bus';
import type { ProofBuyer } from '../buyer/buyer.js';
import { buyOn, sellTo } from '../restore/sales.js';
import { channelOf, reaches } from '../world/states.js';
import { waitFor } from '../world/world.js';
import type { DrillSite } from './drill-site.js';
import { DRILL_MS, makeSales, moneyFaults, storedUpTo, type Drill } from './drill.js';

/** Subjects and streams that a node's credential must not reach, as they are below the fleet's id. */
const FORBIDDEN = [
  'channel.verdict.node-1',
  'payments.0.node-2',
  'fleet.heartbeat.node-2',
  'chain.broadcast',
  'chain.status',
];
const OVERHEARD = ['payments.>', 'channel.verdict.*', '>'];

export const leakedNodeCredential: Drill = {
  what: 'somebody has what a node says to the broker with',
  leavesFleet: true,
  async run(drill) {
    const { site, scores, goods } = drill;
    const { selling, left } = await makeSales(drill);
    const victim = await sellTo(site, goods);
    const path = join(site.state, 'credentials', 'node-1.nats-url');
    const leaked = readFileSync(path, 'utf8').trim();
    const thief = await intruder(site, leaked);
    try {
      await scores.run('what the thief can do: no payment is invented, nothing of others is reached', () =>
        robbed(site, thief, selling),
      );
      await scores.run('the page is followed: the thief is cut off for good', async () => {
        await drill.follow();
        await waitFor(() => !thief.isConnected, DRILL_MS, 'the thief to be cut off');
        const again = await intruder(site, leaked).then(
          (bus) => bus.close().then(() => 'it lets in who has the old password'),
          (refusal: unknown) => (/authorization/i.test(String(refusal)) ? '' : String(refusal)),
        );
        const fresh = readFileSync(path, 'utf8').trim();
        return [...(again === '' ? [] : [again]), ...(fresh === leaked ? ['the file still has the old one'] : [])];
      });
    } finally {
      await thief.connection.close();
    }
    await scores.run('the node sells on, in the same connection and in new ones', async () => {
      await buyOn(selling, 7);
      await storedUpTo(site, selling, 7);
      await selling.leave();
      const fresh = await sellTo(site, goods);
      return moneyFaults(
        site,
        [selling, left, victim, fresh].map((buyer) => ({ buyer })),
      );
    });
  },
};

function intruder(site: DrillSite, leaked: string): Promise<Bus> {
  const url = new URL(leaked);
  return Bus.connect({
    natsUrl: url.href,
    fleetId: site.run.id,
    service: 'swarm-node',
    instance: 'thief',
    onRejected: () => undefined,
  });
}

/** Tries what money could be made or taken with. */
async function robbed(site: DrillSite, thief: Bus, buyer: ProofBuyer): Promise<string[]> {
  const faults: string[] = [];
  const { id, k } = await channelOf(site, buyer);
  const refusals: string[] = [];
  void (async () => {
    for await (const status of thief.connection.status()) {
      if (status.type === 'error') refusals.push(status.error.message);
    }
  })();
  for (const subject of FORBIDDEN) thief.connection.publish(`${site.run.id}.${subject}`, '{}');
  await thief.connection.flush();
  for (const subject of OVERHEARD) {
    const heard = await new Promise<string>((resolve) => {
      thief.connection.subscribe(`${site.run.id}.${subject}`, {
        callback: (refusal) => resolve(refusal === null ? 'heard something' : refusal.message),
      });
    });
    if (!/permissions violation/i.test(heard)) faults.push(`listening to ${subject}: ${heard}`);
  }
  await waitFor(() => refusals.length >= FORBIDDEN.length, DRILL_MS, 'what is forbidden to be refused');
  // A payment that the buyer never signed: the signature of another message.
  const signature = new Uint8Array(Buffer.from(`3006020101020101`, 'hex'));
  const batch = { nodeId: 'node-1', payments: [{ channelId: id, k: k + 5, signature }], ends: [] };
  await thief.store(paymentStream, [String(paymentPartition(id)), 'node-1'], batch);
  const isParked = async (): Promise<boolean> =>
    (await site.database.query('SELECT 1 FROM channel.parked_payment WHERE "channelId" = $1', [id])).length > 0;
  await waitFor(isParked, DRILL_MS, 'the invented payment to be kept apart');
  const after = await channelOf(site, buyer);
  if (after.k !== k) faults.push(`an invented payment moved k from ${k} to ${after.k}`);
  const held = await site.database.query('SELECT 1 FROM channel.quarantined_node WHERE "nodeId" = $1', ['node-1']);
  if (held.length === 0) faults.push('the node is not in quarantine');
  return faults;
}

export const leakedApiKey: Drill = {
  what: 'somebody has an API key of every scope',
  leavesFleet: true,
  async run(drill) {
    const { site, scores, goods } = drill;
    const { selling, left } = await makeSales(drill);
    const { variables } = site.operator;
    variables['INFOHASH'] = goods.metainfo.infoHash;
    const scopes = '--scope read --scope operate --scope money';
    const made = await site.operator.run(`npm run -s fleetctl -- keys create leaked ${scopes} --state "$STATE" --json`);
    const leaked = JSON.parse(made.slice(made.indexOf('{'), made.lastIndexOf('}') + 1)) as { id: string; key: string };
    variables['LEAKED'] = leaked.id;
    const ask = (key: string, method: string, path: string, body?: object): Promise<Response> =>
      fetch(`${site.run.marketApi.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      });
    let planted = '';
    await scores.run(
      "what the thief can do: sweep to the operator's own wallet, and change prices of new channels",
      async () => {
        await reaches(site, left, 'settling', 'settled', 'buried');
        await site.chain.mine(6);
        const more = await ask(leaked.key, 'POST', '/v1/api-keys', { name: 'planted', scopes: ['money', 'read'] });
        planted = ((await more.json()) as { key: string }).key;
        const { infoHash } = goods.metainfo;
        const bodies = [
          ask(leaked.key, 'PUT', `/v1/torrents/${infoHash}/offer`, { priceSat: '1' }),
          ask(leaked.key, 'POST', '/v1/treasury/sweep', {
            dryRun: false,
            destination: 'n2eMqTT929pb1RDNuqEnxdaLau1rxy3efi',
          }),
          ask(leaked.key, 'POST', '/v1/treasury/sweep', { dryRun: false }),
        ];
        const statuses = (await Promise.all(bodies)).map(({ status }) => status);
        return statuses.join() === '200,400,200' ? [] : [`price, sweep elsewhere, sweep: HTTP ${statuses.join()}`];
      },
    );
    await scores.run('the page is followed: the key and what was made with it open nothing', async () => {
      await drill.follow();
      const fresh = readFileSync(variables['FRESH'] ?? '', 'utf8').trim();
      const faults: string[] = [];
      for (const [what, key, status] of [
        ['the leaked key', leaked.key, 401],
        ['a key made with it', planted, 401],
        ['the key in its place', fresh, 200],
      ] as const) {
        const answer = await ask(key, 'GET', '/v1/fleet');
        if (answer.status !== status) faults.push(`${what}: HTTP ${answer.status}`);
      }
      return faults;
    });
    await scores.run('every channel is settled once, and sweeps go nowhere else', async () => {
      await buyOn(selling, 7);
      await selling.leave();
      const faults = await moneyFaults(site, [{ buyer: selling }, { buyer: left }]);
      const swept = await site.database.query<{ destination: string }>(
        `SELECT DISTINCT "destination" FROM channel.treasury_transaction WHERE "kind" = 'sweep'`,
      );
      return [
        ...faults,
        ...swept.filter((one) => one.destination !== site.coldAddress).map((one) => `swept to ${one.destination}`),
      ];
    });
  },
};
