import { setTimeout as sleep } from 'node:timers/promises';
import { MESSAGE_NAMES } from '@seedfleet/wire';
import { PeerLink, type Address } from '../bittorrent/peer-link.js';
import type { Scenario } from './script.js';

/** What a live seller did in a scenario. */
export interface Outcome {
  /** Names of the messages of the paid protocol that it sent, in order; with the payload where the script fixes it. */
  readonly said: readonly string[];
  readonly isClosed: boolean;
  readonly freeBytes: number;
}

/** Longer than a seller holds its terms back for a `buy` that does not come. */
const PATIENCE_MS = 3_000;
/** For a close that follows from what was sent last. */
const CLOSE_MS = 1_500;
/** How long a seller that should stay is watched. */
const LOOK_MS = 400;
const POLL_MS = 10;

/** Plays a script to a live seller, every frame as recorded. */
export async function replay(scenario: Scenario, address: Address): Promise<Outcome> {
  const link = PeerLink.dial(address);
  const said: string[] = [];
  let shakes = 0;
  link.onHandshake = () => (shakes += 1);
  link.onExtendedHandshake = () => (shakes += 1);
  link.onRaw = (id, payload) => void said.push(saying(nameOf(id, scenario), payload));
  await new Promise((resolve) => link.socket.once('connect', resolve));
  const heard = new Map<string, number>();
  for (const step of scenario.steps) {
    if (link.isClosed) break;
    if (step.kind === 'send') link.write(step.bytes);
    else await hear(step.what);
  }
  const waitMs = scenario.isClosed ? CLOSE_MS : LOOK_MS;
  await waitUntil(() => link.isClosed, waitMs);
  const outcome = { said, isClosed: link.isClosed, freeBytes: link.freeBytes };
  link.destroy();
  return outcome;

  async function hear(what: string): Promise<void> {
    const wanted = (heard.get(what) ?? 0) + 1;
    heard.set(what, wanted);
    // A piece is not waited for: the script's funding is on no chain, so none comes.
    if (what === 'js_full_piece') return;
    if (what === 'bt_handshake') return waitUntil(() => shakes >= 1, PATIENCE_MS);
    if (what === 'ext_handshake') return waitUntil(() => shakes >= 2, PATIENCE_MS);
    if (what.startsWith('CONNECTION CLOSED')) return waitUntil(() => link.isClosed, CLOSE_MS);
    return waitUntil(
      () => link.isClosed || said.filter((words) => words === what || words.startsWith(`${what} `)).length >= wanted,
      PATIENCE_MS,
    );
  }
}

/** A message in a word; keys differ from run to run, so of `joining_contract` only the name counts. */
export function saying(name: string, payload: Uint8Array): string {
  return name === 'js_joining_contract' ? name : `${name} ${Buffer.from(payload).toString('hex')}`;
}

/** Ids of a peer that announced 1 to 11 mean the same names in the same order. */
function nameOf(id: number, scenario: Scenario): string {
  const announcesOwn = scenario.steps.some(({ what }) => what === 'ext_handshake') && id <= MESSAGE_NAMES.length;
  const name = MESSAGE_NAMES[announcesOwn ? id - 1 : id - 60];
  return name === undefined ? `id ${id}` : `js_${name}`;
}

async function waitUntil(isSo: () => boolean, timeoutMs: number): Promise<void> {
  for (const deadline = performance.now() + timeoutMs; !isSo() && performance.now() < deadline;) await sleep(POLL_MS);
}
