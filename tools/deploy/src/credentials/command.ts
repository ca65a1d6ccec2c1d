import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FleetError, rotateCredential as rotateOfFleet } from '@seedfleet/fleet';
import { rotateCredential, writeCredentials } from './credential-files.js';

const USAGE = `npm run credentials -- [OPTIONS]
npm run credentials -- rotate NAME [--out DIR | --state DIR]

Writes every secret of a fleet into a folder, one file each: the broker's users and what each may do, and for each service
and node the URLs with its own passwords. What exists is kept. Have the broker read its configuration again afterwards
(nats-server --signal reload).

\`rotate\` gives one process (node-1, market-api, …) another password at the broker, while everything runs: in the folder, or
with --state of a fleet that \`npm start\` runs here, whose broker is told. The process comes back by itself.

  --out DIR          folder of the files (default: secrets)
  --fleet ID         FLEET_ID of the fleet (default: seedfleet)
  --nodes ID,ID,…    all nodes; one that is left out loses its credential (default: node-1)
  --nats HOST:PORT   (default: nats:4222)
  --postgres HOST:PORT/DATABASE   (default: postgres:5432/seedfleet)
  --redis HOST:PORT  (default: redis:6379)
  --bitcoin HOST:PORT   (default: bitcoin:18443)
  --tower-postgres HOST:PORT/DATABASE   the tower's own (default: tower-postgres:5432/seedfleet)
  --tower-bitcoin HOST:PORT             (default: tower-bitcoin:18443)
  --tls              also an authority, tls-ca.pem, and certificates of it for the broker, Postgres and Redis (needs openssl)
`;
const ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Runs `npm run credentials`: 0 done, 2 for a command line that makes no sense. */
export function credentialsCommand(args: readonly string[]): number {
  let options;
  let words;
  try {
    ({ values: options, positionals: words } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        state: { type: 'string' },
        out: { type: 'string', default: 'secrets' },
        fleet: { type: 'string', default: 'seedfleet' },
        nodes: { type: 'string', default: 'node-1' },
        nats: { type: 'string', default: 'nats:4222' },
        postgres: { type: 'string', default: 'postgres:5432/seedfleet' },
        redis: { type: 'string', default: 'redis:6379' },
        bitcoin: { type: 'string', default: 'bitcoin:18443' },
        'tower-postgres': { type: 'string', default: 'tower-postgres:5432/seedfleet' },
        'tower-bitcoin': { type: 'string', default: 'tower-bitcoin:18443' },
        tls: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (failure) {
    return usage(failure instanceof Error ? failure.message : String(failure));
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const [verb, name, ...more] = words;
  if (verb !== undefined && (verb !== 'rotate' || name === undefined || more.length > 0)) {
    return usage(`${words.join(' ')}: not understood`);
  }
  const from = process.env['INIT_CWD'] ?? process.cwd();
  if (name !== undefined)
    return rotate(name, resolve(from, options.out), options.state && resolve(from, options.state));
  if (options.state !== undefined) return usage('--state belongs to rotate');
  const nodes = options.nodes.split(',').filter((id) => id !== '');
  const wrong = [options.fleet, ...nodes].find((id) => !ID.test(id));
  if (wrong !== undefined) return usage(`${wrong}: ids are lowercase letters, digits and hyphens`);
  for (const name of ['postgres', 'tower-postgres'] as const) {
    if (!/^[^/]+\/[a-z0-9_]+$/.test(options[name])) return usage(`--${name} takes HOST:PORT/DATABASE`);
  }
  const tower = { postgres: options['tower-postgres'], bitcoin: options['tower-bitcoin'] };
  const folder = resolve(from, options.out);
  const { nats, postgres, redis, bitcoin, tls, fleet: fleetId } = options;
  const { made, revoked } = writeCredentials({ folder, fleetId, nodes, nats, postgres, redis, bitcoin, tls, tower });
  process.stdout.write(made.length === 0 ? 'nothing new\n' : `made ${made.join(', ')}\n`);
  if (revoked.length > 0) process.stdout.write(`revoked ${revoked.join(', ')}\n`);
  process.stdout.write(`${folder}\n`);
  return 0;
}

function rotate(name: string, folder: string, state: string | undefined): number {
  if (state !== undefined) {
    try {
      rotateOfFleet(state, name);
    } catch (thrown) {
      if (!(thrown instanceof FleetError)) throw thrown;
      process.stderr.write(`${thrown.what}: ${thrown.why}\nTo do: ${thrown.todo}\n`);
      return 1;
    }
    process.stdout.write(`${name} has another password, and the broker knows it\n`);
    return 0;
  }
  const done = existsSync(folder) ? rotateCredential(folder, name) : undefined;
  if (done === undefined) {
    process.stderr.write(`${folder} has no credential ${name}.nats-url\n`);
    return 1;
  }
  process.stdout.write(
    `${done.user} has another password in ${folder}.\n` +
      'To do: bring the file to its process and nats-account.conf to the broker, then nats-server --signal reload\n',
  );
  return 0;
}

function usage(problem: string): number {
  process.stderr.write(`${problem}\n\n${USAGE}`);
  return 2;
}
