import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUYER_FAULT_POINTS, type BuyerFaultPoint } from '@seedfleet/buyer';
import type { Hostility } from '@seedfleet/interop';
import type { Scorecard } from '../scorecard.js';
import { waitFor, type World } from '../world/world.js';
import { describeEnd } from './client.js';
import { buy } from './example.js';
import { nightOf, onLossyLine } from './night.js';
import { provePlayer } from './player.js';
import { PIECES, PRICE_SAT, Stage, WINDOW, type StageOptions } from './stage.js';

const HOSTILITIES: readonly Hostility[] = [
  'bad-piece',
  'stall',
  'never-join',
  'close-when-funded',
  'wrong-key',
  'settle-early',
  'too-many-pieces',
];
const SHORT_POINTS: readonly BuyerFaultPoint[] = ['contract.after-broadcast'];
const SHORT_HOSTILITIES: readonly Hostility[] = ['close-when-funded'];
const SEEK_MS = 60_000;

/** Kills the leecher at every step, sets bad sellers on it, and looks for every satoshi afterwards. */
export async function proveLeecher(world: World, short: boolean, scores: Scorecard): Promise<void> {
  const on = (
    name: string,
    play: (stage: Stage) => Promise<readonly string[]>,
    options: StageOptions = {},
  ): Promise<void> =>
    scores.run(name, async () => {
      const stage = await Stage.open(world, name, options);
      try {
        return await play(stage);
      } finally {
        stage.close();
      }
    });
  for (const point of short ? SHORT_POINTS : BUYER_FAULT_POINTS) {
    await on(
      `killed at ${point}`,
      (stage) => killedAt(stage, point, world),
      point.startsWith('seed.') ? { coins: 0 } : {},
    );
  }
  for (const hostile of short ? SHORT_HOSTILITIES : HOSTILITIES) {
    await on(`a seller that does this: ${hostile}`, (stage) => against(stage, hostile));
  }
  if (!short) await on('two sellers of which one dies', oneDies);
  await on('a client of a dozen lines', dozenLines);
  await on('a seek while streaming', seek);
  await on('a restart from the seed words alone', fromWords);
  const night = nightOf(short);
  await on('a night on a lossy line', (stage) => onLossyLine(stage, night, scores), night.stage);
  await provePlayer(on, short, scores, world.folder);
}

async function killedAt(stage: Stage, point: BuyerFaultPoint, world: World): Promise<readonly string[]> {
  const [area] = point.split('.');
  if (area === 'seed') return seedKilled(stage, point);
  if (area === 'send') return sendKilled(stage, point, world);
  await stage.seller();
  if (area === 'refund' || area === 'booking') return refundKilled(stage, point);
  const passage = area === 'piece' || area === 'payment' ? `${point}#7` : point;
  const killed = await stage.download([], passage);
  if (killed.exitCode !== null) return [`it was not killed: ${describeEnd(killed)}`];
  const again = await stage.download();
  if (again.exitCode !== 0) return [`it does not go on: ${describeEnd(again)}`];
  const faults = stage.isComplete() ? [] : ['the content is not what it should be'];
  await stage.settle();
  // Each run pays at most its own pieces; a window may have been paid for and lost with the process.
  return [...faults, ...(await stage.takeBack()), ...(await stage.accountFaults(PIECES + WINDOW))];
}

/** A wallet that has never shown an address may be lost with its process; one that has may not. */
async function seedKilled(stage: Stage, point: BuyerFaultPoint): Promise<readonly string[]> {
  const killed = await stage.client.run(['wallet', 'receive'], { killAt: point });
  if (killed.exitCode !== null) return [`it was not killed: ${describeEnd(killed)}`];
  const stored = point === 'seed.after-store' ? await stage.client.ask(['wallet', 'seed'], 'seed') : undefined;
  await stage.fund();
  const now = await stage.client.ask(['wallet', 'seed'], 'seed');
  const faults = stored === undefined || stored['words'] === now['words'] ? [] : ['the stored seed was replaced'];
  return [...faults, ...(await stage.accountFaults(0))];
}

async function sendKilled(stage: Stage, point: BuyerFaultPoint, world: World): Promise<readonly string[]> {
  const address = await world.chain.newAddress();
  const order = ['wallet', 'send', address, '5000'];
  const killed = await stage.client.run(order, { killAt: point });
  if (killed.exitCode !== null) return [`it was not killed: ${describeEnd(killed)}`];
  // What was stored leaves at the next command; what was not stored never happened.
  await stage.client.ask(['wallet', 'balance'], 'balance');
  await world.chain.mine(1);
  const received = await world.chain.callWallet<number>('getreceivedbyaddress', address);
  const wanted = point === 'send.before-store' ? 0 : 0.00005;
  const faults = received === wanted ? [] : [`${received} arrived instead of ${wanted}`];
  return [...faults, ...(await stage.accountFaults(0))];
}

/** The seller never settles, so that the deposit comes back by refund; or it does, where booking is killed. */
async function refundKilled(stage: Stage, point: BuyerFaultPoint): Promise<readonly string[]> {
  const bought = await stage.download();
  if (bought.exitCode !== 0) return [`nothing was bought: ${describeEnd(bought)}`];
  if (point.startsWith('booking')) await stage.settle();
  else await stage.passLocks();
  const killed = await stage.client.run(['refund'], { killAt: point });
  if (killed.exitCode !== null) return [`it was not killed: ${describeEnd(killed)}`];
  return [...(await stage.takeBack()), ...(await stage.accountFaults(PIECES))];
}

/** Pays it for no more than it delivered, and gets everything from an honest one. */
async function against(stage: Stage, hostile: Hostility): Promise<readonly string[]> {
  // The honest one joins a little later: the bad one may be dealt with first, alone or beside it.
  const bad = await stage.seller({ hostile, joinAfterMs: 10 });
  await stage.seller({ host: '127.0.0.2', joinAfterMs: 1_500 });
  const ended = await stage.download(['--patience', '3', '--sellers', '2']);
  if (ended.exitCode !== 0) return [`it does not get everything: ${describeEnd(ended)}`];
  const faults = stage.isComplete() ? [] : ['the content is not what it should be'];
  for (const { payments, delivered } of bad.links) {
    if (payments > delivered) faults.push(`${payments} payments for ${delivered} pieces`);
    if (hostile === 'bad-piece' && payments > 2) faults.push('a bad piece was paid');
  }
  await stage.settle();
  return [...faults, ...(await stage.takeBack()), ...(await stage.accountFaults(PIECES + WINDOW))];
}

async function oneDies(stage: Stage): Promise<readonly string[]> {
  const dying = await stage.seller({ vanishAfter: 6 });
  await stage.seller({ host: '127.0.0.2' });
  const ended = await stage.download(['--sellers', '2']);
  if (ended.exitCode !== 0) return [describeEnd(ended)];
  const faults = stage.isComplete() ? [] : ['the content is not what it should be'];
  if (dying.links[0]?.delivered !== 6) faults.push('it did not die');
  await stage.settle();
  return [...faults, ...(await stage.takeBack()), ...(await stage.accountFaults(PIECES + WINDOW))];
}

/** The library as others use it. */
async function dozenLines(stage: Stage): Promise<readonly string[]> {
  const [host = '', port = ''] = (await stage.seller()).address.split(':');
  const { client, torrentFile, rpcUrl } = stage;
  const paidSat = await buy(torrentFile, client.out, { host, port: Number(port) }, rpcUrl, client.wallet);
  const faults = stage.isComplete() ? [] : ['the content is not what it should be'];
  if (paidSat !== PRICE_SAT * BigInt(PIECES)) faults.push(`it paid ${paidSat} sat`);
  await stage.settle();
  return [...faults, ...(await stage.takeBack()), ...(await stage.accountFaults(PIECES))];
}

/** A player begins at the start and jumps near the end: it gets those bytes long before the rest has been bought. */
async function seek(stage: Stage): Promise<readonly string[]> {
  const seller = await stage.seller({ delayMs: 150 });
  let url = '';
  let have = 0;
  const streaming = stage.client.start(stage.words('stream', ['--listen', '127.0.0.1:0']), {
    onEvent: (event) => {
      stage.onEvent(event);
      if (event.event === 'streaming') url = String(event['url']);
      if (event.event === 'piece') have = Number(event['have']);
    },
  });
  try {
    await waitFor(() => url !== '', SEEK_MS, 'the stream');
    const start = await fetch(url, { headers: { range: 'bytes=0-99' } });
    const from = 27 * 16_384 + 5;
    const jumped = await fetch(url, { headers: { range: `bytes=${from}-${from + 999}` } });
    const bytes = Buffer.from(await jumped.arrayBuffer());
    const haveAtSeek = have;
    const faults: string[] = [];
    if (!Buffer.from(await start.arrayBuffer()).equals(stage.slice(0, 100))) faults.push('the first bytes are wrong');
    if (!bytes.equals(stage.slice(from, from + 1_000))) faults.push('the bytes after the seek are wrong');
    if (haveAtSeek > 20) faults.push(`the seek waited for ${haveAtSeek} pieces`);
    const asked = seller.links.find(({ requests }) => requests.length > 0)?.requests.indexOf(27) ?? -1;
    if (asked < 0 || asked > 12) faults.push(`the piece of the seek was asked for as number ${asked}`);
    const whole = Buffer.from(await (await fetch(url)).arrayBuffer());
    if (!whole.equals(stage.slice(0, whole.length)) || !stage.isComplete()) faults.push('the whole is wrong');
    return faults;
  } finally {
    streaming.interrupt();
    await streaming.ended;
  }
}

/** The disk with the wallet is lost while a deposit is open with a seller that never settles. */
async function fromWords(stage: Stage): Promise<readonly string[]> {
  await stage.seller({ vanishAfter: 5 });
  const running = stage.download(['--sellers', '1'], 'contract.after-announce');
  if ((await running).exitCode !== null) return ['it was not killed'];
  const { words } = await stage.client.ask(['wallet', 'seed'], 'seed');
  stage.closeSellers();
  rmSync(stage.client.wallet, { recursive: true });
  const file = join(stage.client.folder, 'words');
  writeFileSync(file, `${String(words)}\n`);
  const restored = await stage.client.ask(['wallet', 'restore', '--words-file', file], 'restored');
  const faults = restored['contracts'] === 1 ? [] : [`${String(restored['contracts'])} contracts were found`];
  if (!existsSync(join(stage.client.wallet, 'contracts'))) faults.push('nothing was written down');
  const balance = await stage.client.ask(['wallet', 'balance'], 'balance');
  if (BigInt(String(balance['lockedSat'])) < PRICE_SAT * BigInt(PIECES))
    faults.push('the deposit is not known as locked');
  faults.push(...(await stage.takeBack()));
  return [...faults, ...(await stage.accountFaults(0, 'restored'))];
}
