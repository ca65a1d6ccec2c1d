import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NeighbourProcess, versionOf, type Neighbour } from './neighbour.js';

interface Row {
  readonly hash: string;
  readonly downloaded: number;
  readonly num_seeds: number;
  readonly num_leechs: number;
}

/** Without its window, asked by the interface of its web page. */
export const qbittorrent: Neighbour = {
  name: 'qBittorrent',
  debian: 'qbittorrent-nox',
  version: () => versionOf('qbittorrent-nox', ['--version']),
  start: async ({ folder, peerPort, controlPort, torrents }) => {
    const configuration = join(folder, 'qBittorrent', 'config');
    mkdirSync(configuration, { recursive: true });
    const settings = [
      '[LegalNotice]',
      'Accepted=true',
      '[BitTorrent]',
      `Session\\Port=${peerPort}`,
      'Session\\DHTEnabled=false',
      'Session\\LSDEnabled=false',
      `Session\\DefaultSavePath=${folder}`,
      '[Preferences]',
      'Connection\\UPnP=false',
      'WebUI\\Enabled=true',
      'WebUI\\Address=127.0.0.1',
      `WebUI\\Port=${controlPort}`,
      'WebUI\\LocalHostAuth=false',
      'WebUI\\UseUPnP=false',
    ];
    writeFileSync(join(configuration, 'qBittorrent.conf'), settings.join('\n'));
    const client = new NeighbourProcess('qbittorrent-nox', [`--profile=${folder}`], folder);
    const call = async (path: string, body?: FormData): Promise<Response> => {
      const response = await fetch(`http://127.0.0.1:${controlPort}/api/v2/${path}`, {
        ...(body === undefined ? {} : { method: 'POST', body }),
      });
      if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
      return response;
    };
    await client.answers(() => call('app/version'));
    for (const { infoHash, file } of torrents) {
      const form = new FormData();
      form.append('torrents', new Blob([Uint8Array.from(file)]), `${infoHash}.torrent`);
      await call('torrents/add', form);
    }
    return {
      status: async (infoHash) => {
        const rows = (await (await call('torrents/info')).json()) as Row[];
        const own = rows.find(({ hash }) => hash === infoHash);
        return { downloadedBytes: own?.downloaded ?? 0, peers: (own?.num_seeds ?? 0) + (own?.num_leechs ?? 0) };
      },
      get isRunning() {
        return client.isRunning;
      },
      stop: () => client.stop(),
    };
  },
};
