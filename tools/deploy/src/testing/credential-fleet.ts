import { chmodSync, chownSync, copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AutoMiner, bringTool, pickPort, startServers, type RunningServers, type SellingFleet } from '@seedfleet/fleet';
import pg from 'pg';
import { credentialsCommand } from '../credentials/command.js';
import { projectFile } from '../files.js';

const NATS = { suite: 'trixie', name: 'nats-server', binaryFolder: 'usr/sbin', binaries: ['nats-server'] };
const REDIS = { suite: 'trixie', name: 'redis-server', binaryFolder: 'usr/bin', binaries: ['redis-server'] };
const FLEET = 'guarded';

/**
 * A fleet as an operator installs it: servers with TLS and the passwords that `npm run credentials` made, and services that
 * are told nothing but where their own files are.
 */
export class CredentialFleet {
  readonly #secrets: string;
  #servers: RunningServers | undefined;
  #miner: AutoMiner | undefined;
  #ports = { nats: 0, monitor: 0, redis: 0, peers: 0 };

  constructor(private readonly folder: string) {
    this.#secrets = join(folder, 'secrets');
  }

  secret(name: string): string {
    return join(this.#secrets, name);
  }

  text(name: string): string {
    return readFileSync(this.secret(name), 'utf8').trim();
  }

  /** Brings the servers, makes the credentials, and gives each server its own. */
  async bringServers(): Promise<void> {
    this.#servers = await startServers({ stateDir: join(this.folder, 'state'), env: { PATH: process.env['PATH'] } });
    const { postgres, bitcoin } = this.#servers.connections;
    this.#ports = {
      nats: await pickPort(),
      monitor: await pickPort(),
      redis: await pickPort(),
      peers: await pickPort(),
    };
    const database = `localhost:${new URL(postgres.url).port}/guarded`;
    const made = credentialsCommand([
      ...['--out', this.#secrets, '--fleet', FLEET, '--nodes', 'node-1', '--tls', '--postgres', database],
      ...['--nats', `localhost:${this.#ports.nats}`, '--redis', `localhost:${this.#ports.redis}`],
    ]);
    if (made !== 0) throw new Error(`npm run credentials ended with ${made}`);
    // A Bitcoin node of one's own: its URL is put there by hand.
    writeFileSync(this.secret('bitcoin-rpc-url'), `${bitcoin.rpcUrl}\n`);
    await this.#guardPostgres(postgres.url);
    await this.#startNats();
    await this.#startRedis();
    this.#miner = new AutoMiner(bitcoin.rpcUrl);
    this.#miner.start();
  }

  async migrate(): Promise<void> {
    const { exitCode, errorOutput } = await this.#running.supervisor.run({
      name: 'migrate',
      command: process.execPath,
      args: [projectFile('libs/persistence/scripts/deploy.mjs')],
      env: {
        PATH: process.env['PATH'] ?? '',
        DATABASE_URL_FILE: this.secret('owner.database-url'),
        DATABASE_CA_FILE: this.secret('tls-ca.pem'),
        ROLE_PASSWORDS_FILE: this.secret('role-passwords.json'),
      },
      cwd: '/',
      onLine: () => undefined,
    });
    if (exitCode !== 0) throw new Error(`the migrations ended with ${exitCode}: ${errorOutput.slice(-2_000)}`);
  }

  /** Every service, each with its own files. */
  async startServices(): Promise<SellingFleet> {
    const { state, supervisor, connections } = this.#running;
    const keyFile = join(state.folder('market'), 'admin.key');
    const database = (name: string) => ({
      DATABASE_URL_FILE: this.secret(`${name}.database-url`),
      DATABASE_CA_FILE: this.secret('tls-ca.pem'),
    });
    const redis = { REDIS_URL_FILE: this.secret('redis-url'), REDIS_CA_FILE: this.secret('tls-ca.pem') };
    await this.#start('chain-watcher', 'chain-watcher', {
      ...database('chain-watcher'),
      BTC_RPC_FILE: this.secret('bitcoin-rpc-url'),
      BTC_ZMQ: connections.bitcoin.zmq,
    });
    await this.#start('channel-settler', 'channel-service', {
      ...database('channel-settler'),
      ...redis,
      ROLE: 'settler',
      SEED_FILE: join(state.folder('settler'), 'seed.json'),
      SEED_KEY_FILE: this.secret('seed-key'),
    });
    await this.#start('channel-intake', 'channel-service', { ...database('channel-intake'), ...redis, ROLE: 'intake' });
    const market = await this.#start('market-api', 'market-api', {
      ...database('market-api'),
      ...redis,
      API_KEY_FILE: keyFile,
    });
    await this.#start('node-1', 'swarm-node', {
      NODE_ID: 'node-1',
      DATA_DIR: state.folder('node-1'),
      PEER_HOST: '127.0.0.1',
      PEER_PORT: String(this.#ports.peers),
    });
    const peerAddress = `127.0.0.1:${this.#ports.peers}`;
    const run = {
      id: FLEET,
      network: 'regtest',
      marketApi: { url: market, keyFile },
      nodes: [{ id: 'node-1', peerAddress, dhtAddress: peerAddress }],
      bitcoin: connections.bitcoin,
      postgres: this.text('owner.database-url'),
      nats: this.text('market-api.nats-url'),
      natsMonitorUrls: `http://127.0.0.1:${this.#ports.monitor}`,
      redis: this.text('redis-url'),
      processes: supervisor.summary(),
    };
    return { run, state, supervisor, miner: this.#miner };
  }

  async stop(): Promise<void> {
    this.#miner?.stop();
    await this.#servers?.stop();
  }

  get #running(): RunningServers {
    if (this.#servers === undefined) throw new Error('the servers do not run');
    return this.#servers;
  }

  /** As docker-compose.yml and k8s/base start it. Resolves with where it answers. */
  async #start(name: string, app: string, own: Readonly<Record<string, string>>): Promise<string> {
    const port = await pickPort();
    const url = `http://127.0.0.1:${port}`;
    const outcome = await this.#running.supervisor.start({
      name,
      command: process.execPath,
      args: ['--enable-source-maps', projectFile(`apps/${app}/dist/main.js`)],
      env: {
        PATH: process.env['PATH'] ?? '',
        SEEDFLEET_NETWORK: 'regtest',
        FLEET_ID: FLEET,
        NATS_URL_FILE: this.secret(`${name}.nats-url`),
        NATS_CA_FILE: this.secret('tls-ca.pem'),
        NATS_MONITOR_URLS: `http://127.0.0.1:${this.#ports.monitor}`,
        BROKER_DURABILITY: 'fsync',
        HTTP_PORT: String(port),
        ...own,
      },
      cwd: '/',
      stopSignal: 'SIGTERM',
      graceMs: 20_000,
      tier: name === 'node-1' ? 2 : 1,
      isReady: async () => (await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) })).ok,
      readyTimeoutMs: 60_000,
    });
    if (!outcome.ok) throw new Error(`${name}: ${JSON.stringify(outcome)}`);
    return url;
  }

  /** The owner of the tables gets the password that was made for it; TLS. */
  async #guardPostgres(adminUrl: string): Promise<void> {
    const client = new pg.Client({ connectionString: adminUrl });
    await client.connect();
    try {
      const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
      const data = rows[0]?.data_directory ?? '';
      const { uid, gid } = statSync(data);
      for (const [from, to] of [
        ['postgres.crt', 'server.crt'],
        ['postgres.key', 'server.key'],
      ] as const) {
        copyFileSync(this.secret(from), join(data, to));
        chmodSync(join(data, to), 0o600);
        if (process.getuid?.() === 0) chownSync(join(data, to), uid, gid);
      }
      await client.query('ALTER SYSTEM SET ssl = on');
      await client.query('SELECT pg_reload_conf()');
      const password = client.escapeLiteral(this.text('postgres-owner.password'));
      await client.query('CREATE DATABASE guarded OWNER seedfleet');
      await client.query(`ALTER ROLE seedfleet PASSWORD ${password}`);
    } finally {
      await client.end();
    }
  }

  /** The configuration that the containers use, with the places of this machine. */
  async #startNats(): Promise<void> {
    const { nats, monitor } = this.#ports;
    const tls = `tls { cert_file: "${this.secret('nats.crt')}", key_file: "${this.secret('nats.key')}", handshake_first: true }`;
    const text = readFileSync(projectFile('deploy/nats.conf'), 'utf8')
      .replace('port: 4222', `port: ${nats}\nhost: 127.0.0.1\n${tls}`)
      .replace('http: 8222', `http: 127.0.0.1:${monitor}`)
      .replace('/data', join(this.folder, 'nats'))
      .replace('../../run/secrets/', 'secrets/');
    writeFileSync(join(this.folder, 'nats.conf'), text);
    const program = join(await bringTool(NATS), 'nats-server');
    const health = `http://127.0.0.1:${monitor}/healthz?js-enabled-only=true`;
    await this.#server(
      'guarded-nats',
      program,
      ['-c', join(this.folder, 'nats.conf')],
      async () => (await fetch(health)).ok,
    );
  }

  async #startRedis(): Promise<void> {
    const certificate = ['--tls-cert-file', this.secret('redis.crt'), '--tls-key-file', this.secret('redis.key')];
    const tls = [...certificate, '--tls-ca-cert-file', this.secret('tls-ca.pem'), '--tls-auth-clients', 'no'];
    const ports = ['--port', '0', '--tls-port', String(this.#ports.redis), '--bind', '127.0.0.1', '--dir', this.folder];
    const program = join(await bringTool(REDIS), 'redis-server');
    await this.#server('guarded-redis', program, [this.secret('redis.conf'), ...ports, ...tls], () =>
      Promise.resolve(true),
    );
  }

  async #server(name: string, command: string, args: string[], isReady: () => Promise<boolean>): Promise<void> {
    const outcome = await this.#running.supervisor.start({
      name,
      command,
      args,
      env: { PATH: process.env['PATH'] ?? '' },
      cwd: '/',
      stopSignal: 'SIGTERM',
      graceMs: 10_000,
      tier: 0,
      isReady,
      readyTimeoutMs: 30_000,
    });
    if (!outcome.ok) throw new Error(`${name}: ${JSON.stringify(outcome)}`);
  }
}
