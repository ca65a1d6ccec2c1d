import { setTimeout as sleep } from 'node:timers/promises';
import { aim, print } from '../measure.js';
import { untilOnSale } from './many-torrents.js';
import { figures, whereabouts } from './node-figures.js';
import type { SwarmBench } from './swarm.js';

const RESTART_MS = 60_000;
const NODE = 'node-1';

/** Restarts the node and has it tell when its last torrent was on sale again, counted from the start of its process. */
export async function warmStart({ fleet, options }: SwarmBench): Promise<boolean> {
  const { pid } = whereabouts(fleet, NODE);
  process.kill(pid, 'SIGTERM');
  const deadline = performance.now() + RESTART_MS;
  while (whereabouts(fleet, NODE).pid === pid) {
    if (performance.now() > deadline) throw new Error('the node was not restarted');
    await sleep(100);
  }
  await untilOnSale(fleet, options.torrents);
  const after = await figures(fleet, NODE);
  const read = after.sample('seedfleet_node_verified_bytes_total');
  const seconds = after.sample('seedfleet_node_torrents_settled_seconds');
  print(`  (content read again: ${Number.isNaN(read) ? 0 : read} bytes)`);
  return aim('warm start, from the process to the last torrent', `${seconds.toFixed(2)} s`, seconds <= 1.2, '≤ 1.2 s');
}
