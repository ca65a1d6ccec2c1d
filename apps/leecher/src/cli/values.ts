import { BuyerError, ExitCode, type PeerAddress } from '@seedfleet/buyer';
import { shortUsage } from './usage.js';

export function usageError(problem: string, hint = shortUsage()): BuyerError {
  return new BuyerError(ExitCode.usage, 'usage', `${problem}\n\n${hint}`);
}

/** The Bitcoin node's URL; empty where it is not needed and not given. */
export function checkUrl(url: string | undefined, needed: boolean): string {
  if (url === undefined || url === '') {
    if (!needed) return '';
    throw usageError('--rpc URL (or BTC_RPC) is needed: the Bitcoin node to use');
  }
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw usageError('--rpc is no http:// or https:// URL');
  }
  return url;
}

/** HOST:PORT, IPv6 addresses in brackets. */
export function pairOf(name: string, text: string, leastPort: number): PeerAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? -1);
  if (host === undefined || port < leastPort || port > 65_535)
    throw usageError(`${name} ${text}: the form is HOST:PORT`);
  return { host, port };
}

export function wholeNumber(name: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || value < min || value > max) throw usageError(`${name} is a whole number ${min}…${max}`);
  return value;
}

export function satoshi(name: string, text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,16}$/.test(text)) throw usageError(`${name} is a whole number of satoshi`);
  return BigInt(text);
}
