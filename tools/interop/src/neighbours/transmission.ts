import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NeighbourProcess, versionOf, type Neighbour } from './neighbour.js';

interface Row {
  readonly hashString: string;
  readonly downloadedEver: number;
  readonly corruptEver: number;
  readonly peersConnected: number;
}

const SESSION_HEADER = 'x-transmission-session-id';

/** It dials no address of loopback, so here the seller finds it and dials. */
export const transmission: Neighbour = {
  name: 'Transmission',
  debian: 'transmission-daemon',
  version: () => versionOf('transmission-daemon', ['--version']),
  start: async ({ folder, peerPort, controlPort, torrents }) => {
    const settings = {
      'bind-address-ipv4': '127.0.0.1',
      'dht-enabled': false,
      'download-dir': folder,
      'lpd-enabled': false,
      'peer-port': peerPort,
      'port-forwarding-enabled': false,
      'rpc-authentication-required': false,
      'rpc-bind-address': '127.0.0.1',
      'rpc-port': controlPort,
      'utp-enabled': false,
    };
    const configuration = join(folder, 'configuration');
    mkdirSync(configuration);
    writeFileSync(join(configuration, 'settings.json'), JSON.stringify(settings));
    const client = new NeighbourProcess('transmission-daemon', ['--foreground', '--config-dir', configuration], folder);
    let session = '';
    const call = async <T>(method: string, args: object): Promise<T> => {
      for (let tries = 0; tries < 2; tries++) {
        const response = await fetch(`http://127.0.0.1:${controlPort}/transmission/rpc`, {
          method: 'POST',
          headers: { [SESSION_HEADER]: session },
          body: JSON.stringify({ method, arguments: args }),
        });
        session = response.headers.get(SESSION_HEADER) ?? session;
        if (response.status === 409) continue;
        const reply = (await response.json()) as { result: string; arguments: T };
        if (reply.result === 'success') return reply.arguments;
        throw new Error(`${method}: ${reply.result}`);
      }
      throw new Error(`${method}: no session`);
    };
    await client.answers(() => call('session-get', {}));
    for (const { file } of torrents) {
      await call('torrent-add', { metainfo: Buffer.from(file).toString('base64'), 'download-dir': folder });
    }
    return {
      status: async (infoHash) => {
        const fields = ['hashString', 'downloadedEver', 'corruptEver', 'peersConnected'];
        const { torrents: rows } = await call<{ torrents: Row[] }>('torrent-get', { fields });
        const own = rows.find(({ hashString }) => hashString === infoHash);
        if (own === undefined) throw new Error(`Transmission does not know ${infoHash}`);
        return { downloadedBytes: own.downloadedEver + own.corruptEver, peers: own.peersConnected };
      },
      get isRunning() {
        return client.isRunning;
      },
      stop: () => client.stop(),
    };
  },
};
