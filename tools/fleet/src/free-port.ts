import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

/** Below Linux's default range for outgoing connections (32768…), so that none of those can take a port in between. */
const LOWEST = 15_000;
const HIGHEST = 32_000;
const ATTEMPTS = 200;

/** Whether nothing listens on a port of this machine now. */
export function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * A random port that is free now. It may be taken before the caller's server binds it, so the caller must be ready to
 * ask for another.
 */
export async function pickPort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port, host)) return port;
  }
  throw new Error(`no free port found on ${host} in ${ATTEMPTS} attempts`);
}
