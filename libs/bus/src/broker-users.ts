import { permissionsOf, type Holder } from './permissions.js';

/** One process's credential at the broker; several instances of a service may share one. */
export interface Credential {
  /** `chain-watcher`, `channel-intake`, `channel-settler`, `channel-signer`, `market-api`, `tower`, or a node's id. */
  readonly name: string;
  readonly holder: Holder;
  readonly password: string;
}

/** The services of a fleet, by the name of their credential. */
export const SERVICE_CREDENTIALS: Readonly<Record<string, Holder>> = {
  'chain-watcher': { service: 'chain-watcher' },
  'channel-intake': { service: 'channel-service', role: 'intake' },
  'channel-settler': { service: 'channel-service' },
  'channel-signer': { service: 'signer' },
  'market-api': { service: 'market-api' },
  tower: { service: 'tower' },
};

/** The user name of a credential: a node may not choose one that is a service's. */
export function brokerUser(fleetId: string, name: string, holder: Holder): string {
  return holder.service === 'swarm-node' ? `${fleetId}.swarm-node.${holder.nodeId}` : `${fleetId}.${name}`;
}

/**
 * The part of a nats-server's configuration that gives a fleet an account of its own, with a user for each credential.
 * @param admin a user without limits inside the account, for operators' tools
 */
export function brokerAccount(
  fleetId: string,
  credentials: readonly Credential[],
  admin: { readonly user: string; readonly password: string },
): string {
  const users = [...credentials].sort(byName).map(({ name, holder, password }) => {
    const user = brokerUser(fleetId, name, holder);
    const { publish, subscribe } = permissionsOf(fleetId, user, holder);
    // Answers go to the one who asked, once, wherever its reply subject is.
    const answers = holder.service === 'swarm-node' ? '' : '\n          allow_responses: { max: 1, expires: "1m" }';
    return `      {
        user: ${quoted(user)}, password: ${quoted(password)}
        permissions {
          publish { allow: ${list(publish)} }
          subscribe { allow: ${list(subscribe)} }${answers}
        }
      }`;
  });
  return `accounts {
  ${quoted(fleetId)} {
    jetstream: enabled
    users: [
      { user: ${quoted(admin.user)}, password: ${quoted(admin.password)} }
${users.join('\n')}
    ]
  }
}
`;
}

/** The same users give the same text. */
const byName = (one: Credential, other: Credential): number => (one.name < other.name ? -1 : 1);

/** Everything that stands in a configuration is quoted: a bare word may be read as a number or a variable. */
function quoted(text: string): string {
  if (!/^[\w.$>*-]+$/.test(text))
    throw new RangeError('names and passwords of the broker are letters, digits, dots, hyphens');
  return `"${text}"`;
}

function list(subjects: readonly string[]): string {
  return `[\n${subjects.map((subject) => `            ${quoted(subject)}`).join('\n')}\n          ]`;
}
