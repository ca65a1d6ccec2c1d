import { NeighbourProcess, versionOf, type Neighbour } from './neighbour.js';

interface Status {
  readonly infoHash?: string;
  readonly completedLength: string;
  readonly connections: string;
}

export const aria2: Neighbour = {
  name: 'aria2',
  debian: 'aria2',
  version: () => versionOf('aria2c', ['--version']),
  start: async ({ folder, peerPort, controlPort, torrents }) => {
    const client = new NeighbourProcess(
      'aria2c',
      [
        '--no-conf=true',
        `--dir=${folder}`,
        '--enable-rpc=true',
        `--rpc-listen-port=${controlPort}`,
        `--listen-port=${peerPort}`,
        '--enable-dht=false',
        '--bt-enable-lpd=false',
        '--disable-ipv6=true',
        '--summary-interval=0',
      ],
      folder,
    );
    const call = async <T>(method: string, ...params: readonly unknown[]): Promise<T> => {
      const response = await fetch(`http://127.0.0.1:${controlPort}/jsonrpc`, {
        method: 'POST',
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      });
      const { result, error } = (await response.json()) as { result?: T; error?: unknown };
      if (result === undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
      return result;
    };
    await client.answers(() => call('aria2.getVersion'));
    for (const { file } of torrents) await call('aria2.addTorrent', Buffer.from(file).toString('base64'));
    return {
      status: async (infoHash) => {
        const all = await call<Status[]>('aria2.tellActive');
        const own = all.find((status) => status.infoHash === infoHash);
        return { downloadedBytes: Number(own?.completedLength ?? 0), peers: Number(own?.connections ?? 0) };
      },
      get isRunning() {
        return client.isRunning;
      },
      stop: () => client.stop(),
    };
  },
};
