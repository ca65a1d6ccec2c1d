import type { Metainfo } from '../../metainfo/metainfo.js';

/** Longest address that is taken. */
const MAX_ADDRESS_LENGTH = 4_096;

/** The address of content, or undefined where the text is none: HTTP(S) only, without user, password or fragment. */
export function readSourceAddress(text: string): URL | undefined {
  if (text.length > MAX_ADDRESS_LENGTH || !/^https?:\/\//i.test(text)) return undefined;
  let address: URL;
  try {
    address = new URL(text);
  } catch {
    return undefined;
  }
  if (address.username !== '' || address.password !== '' || address.hash !== '') return undefined;
  return address;
}

/** An address as it may be shown and logged: a signed link is a secret, and its secret is in the query. */
export function shownAddress(text: string): string {
  const address = readSourceAddress(text);
  if (address === undefined) return text;
  return `${address.origin}${address.pathname}${address.search === '' ? '' : '?…'}`;
}

/**
 * Where one file of a torrent is (BEP 19): a torrent of one file is the address itself, or, where that ends in a slash, its
 * name below it; files of others lie below `NAME/`. The query, such as a signature of a whole folder, stays.
 */
export function addressOfFile(metainfo: Metainfo, base: URL, fileIndex: number): URL {
  const file = metainfo.files[fileIndex];
  if (file === undefined) throw new RangeError(`the torrent has no file ${fileIndex}`);
  const isFolder = base.pathname.endsWith('/');
  if (!metainfo.multiFile && !isFolder) return base;
  const parts = metainfo.multiFile ? [metainfo.name, ...file.path] : [metainfo.name];
  const address = new URL(base);
  address.pathname = `${base.pathname}${isFolder ? '' : '/'}${parts.map((part) => encodeURIComponent(part)).join('/')}`;
  return address;
}
