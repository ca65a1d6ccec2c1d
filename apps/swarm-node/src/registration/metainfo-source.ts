import { DEFAULT_METAINFO_LIMITS, parseMetainfo, type Metainfo } from '@seedfleet/bittorrent';
import { torrentMetainfo, type Bus } from '@seedfleet/bus';
import type { LazyMetainfo } from '../content/lazy-metainfo.js';
import type { NodeFiles } from '../content/node-files.js';

export type MetainfoOutcome =
  | { readonly ok: true; readonly metainfo: LazyMetainfo }
  /** `permanent`: asking again gives the same. */
  | { readonly ok: false; readonly permanent: boolean; readonly detail: string };

/** Gets a .torrent file from this node's disk, or in parts from the fleet, and checks that it is the one asked for. */
export async function obtainMetainfo(bus: Bus, files: NodeFiles, infoHash: string): Promise<MetainfoOutcome> {
  const noted = files.noted(infoHash);
  if (noted !== undefined) return { ok: true, metainfo: noted };
  const kept = await files.readTorrent(infoHash);
  const known = kept === undefined ? undefined : read(kept, infoHash);
  if (known?.ok === true) return { ok: true, metainfo: files.lazy(known.metainfo) };
  const fetched = await fetchParts(bus, infoHash);
  if (!fetched.ok) return fetched;
  const parsed = read(fetched.bytes, infoHash);
  if (!parsed.ok) return parsed;
  await files.writeTorrent(infoHash, fetched.bytes);
  return { ok: true, metainfo: files.lazy(parsed.metainfo) };
}

type ReadOutcome =
  { readonly ok: true; readonly metainfo: Metainfo } | Extract<MetainfoOutcome, { readonly ok: false }>;

function read(bytes: Uint8Array, infoHash: string): ReadOutcome {
  const parsed = parseMetainfo(bytes);
  if (!parsed.ok) return { ok: false, permanent: true, detail: `${parsed.error.code}: ${parsed.error.detail}` };
  if (parsed.value.infoHash === infoHash) return { ok: true, metainfo: parsed.value };
  return { ok: false, permanent: true, detail: `metainfo-mismatch: the file is of ${parsed.value.infoHash}` };
}

type Fetched =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly permanent: boolean; readonly detail: string };

async function fetchParts(bus: Bus, infoHash: string): Promise<Fetched> {
  const parts: Uint8Array[] = [];
  for (let offsetBytes = 0; ;) {
    const reply = await bus.request(torrentMetainfo, { infoHash, offsetBytes });
    if (!reply.ok) return { ok: false, permanent: false, detail: reply.code };
    const { found, part, totalBytes } = reply.value;
    if (!found) return { ok: false, permanent: false, detail: 'metainfo-not-found' };
    if (totalBytes > DEFAULT_METAINFO_LIMITS.maxMetainfoBytes) {
      return { ok: false, permanent: true, detail: `metainfo-too-large: ${totalBytes} bytes` };
    }
    parts.push(part);
    offsetBytes += part.length;
    if (offsetBytes >= totalBytes) return { ok: true, bytes: Buffer.concat(parts) };
    if (part.length === 0) return { ok: false, permanent: false, detail: 'metainfo-incomplete' };
  }
}
