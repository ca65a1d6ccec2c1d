// Postgres, NATS, Redis and a Bitcoin node in a process that ends with this one.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SERVERS = fileURLToPath(new URL('../fleet/bin/servers.mjs', import.meta.url));

/**
 * Starts the four servers with their data in `stateDir`.
 * @returns the environment by which specs find them, and `stop`
 * @throws Error when they end before they are ready
 */
export async function startAttached(stateDir) {
  const child = spawn(process.execPath, [SERVERS, '--attached', '--state', stateDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const line = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`the servers did not start (exit ${code})`)));
  });
  const { postgres, nats, redis, bitcoin } = JSON.parse(line);
  return {
    environment: {
      TEST_POSTGRES_URL: postgres.url,
      TEST_NATS_URL: nats.url,
      TEST_NATS_MONITOR_URL: nats.monitorUrls,
      TEST_REDIS_URL: redis.url,
      TEST_BTC_RPC: bitcoin.rpcUrl,
      TEST_BTC_ZMQ: bitcoin.zmq,
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGINT');
      await gone;
    },
  };
}
