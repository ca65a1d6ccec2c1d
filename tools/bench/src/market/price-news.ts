import { Bus, offersChanged } from '@seedfleet/bus';
import { send, type Api } from './pages.js';

const TIMES = 20;
const LOST_MS = 10_000;

/** How long a price change takes until the last of many nodes has it, ms, from before the request; sorted. */
export async function priceNews(
  api: Api,
  natsUrl: string,
  fleetId: string,
  nodes: number,
  infoHashes: readonly string[],
): Promise<number[]> {
  let heard: (infoHash: string) => void = () => undefined;
  const buses: Bus[] = [];
  try {
    for (let node = 0; node < nodes; node += 1) {
      const onRejected = ({ code }: { code: string }): void => void code;
      const bus = await Bus.connect({ natsUrl, fleetId, service: 'swarm-node', instance: `bench-${node}`, onRejected });
      buses.push(bus);
      bus.subscribe(offersChanged, [], ({ torrents }) => torrents.forEach(({ infoHash }) => heard(infoHash)));
      await bus.connection.flush();
    }
    const times: number[] = [];
    for (let time = 0; time < TIMES; time += 1) {
      const infoHash = infoHashes[time % infoHashes.length] ?? '';
      let left = nodes;
      const startedMs = performance.now();
      const all = new Promise<number>((resolve, reject) => {
        const lost = setTimeout(() => reject(new Error(`${left} of ${nodes} nodes did not hear of a price`)), LOST_MS);
        heard = (changed) => {
          if (changed !== infoHash || --left > 0) return;
          clearTimeout(lost);
          resolve(performance.now() - startedMs);
        };
      });
      await send(api, 'PUT', `/v1/torrents/${infoHash}/offer`, { priceSat: String(2 + (time % 5)) });
      times.push(await all);
    }
    return times.sort((a, b) => a - b);
  } finally {
    await Promise.all(buses.map((bus) => bus.close()));
  }
}
