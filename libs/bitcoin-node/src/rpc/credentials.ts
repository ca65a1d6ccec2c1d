import { readFile } from 'node:fs/promises';

/** Where the node listens and how to log in there. */
export interface RpcEndpoint {
  readonly host: string;
  readonly port: number;
  /** Request path; `/wallet/NAME` addresses one wallet. */
  readonly path: string;
  readonly tls: boolean;
  /** The `Authorization` header; a cookie file is read again on each call, as the node writes a new one at each start. */
  authorisation(): Promise<string | undefined>;
}

/** How to reach the node's RPC. */
export interface RpcLocation {
  /** `http(s)://[user:password@]host:port[/path]`. */
  readonly url: string;
  /** Path of the node's `.cookie` file; used when the URL holds no credentials. */
  readonly cookieFile?: string | undefined;
}

/**
 * Reads a location once, at start.
 * @throws TypeError if the URL is not an http(s) URL: a mistake in configuration, not a state of the node.
 */
export function rpcEndpoint(location: RpcLocation): RpcEndpoint {
  const url = new URL(location.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TypeError(`Bitcoin RPC URL must start with http:// or https://, not ${url.protocol}//`);
  }
  const tls = url.protocol === 'https:';
  const inUrl = url.username !== '' || url.password !== '';
  const fixed = basic(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`);
  const { cookieFile } = location;
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (tls ? 443 : 80) : Number(url.port),
    path: url.pathname,
    tls,
    async authorisation() {
      if (inUrl) return fixed;
      if (cookieFile === undefined) return undefined;
      return basic((await readFile(cookieFile, 'utf8')).trim());
    },
  };
}

const basic = (userAndPassword: string): string => `Basic ${Buffer.from(userAndPassword, 'utf8').toString('base64')}`;
