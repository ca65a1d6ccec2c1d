import { createHash } from 'node:crypto';
import {
  decodeBencode,
  type BencodeDictionary,
  type BencodeString,
  type BencodeValue,
  type BencodeList,
} from '../bencode/decode.js';
import { failure, success, type Result } from '../result.js';
import {
  DEFAULT_METAINFO_LIMITS,
  type Metainfo,
  type MetainfoError,
  type MetainfoErrorCode,
  type MetainfoFile,
  type MetainfoLimits,
} from './metainfo.js';
import { conflictingPath, safeComponent, safeDepth } from './paths.js';

const MAX_TRACKERS = 200;
const MAX_TRACKER_URL_BYTES = 2048;
const SHA1_BYTES = 20;

/**
 * Reads a .torrent file (BEP 3, with the padding files of BEP 47). The info hash is taken over the bytes as written, so
 * that it is right for torrents that are not canonically encoded. Strings of the result are copied except `infoBytes`
 * and `pieceHashes`, which are views of `input`.
 */
export function parseMetainfo(
  input: Uint8Array,
  limits: MetainfoLimits = DEFAULT_METAINFO_LIMITS,
): Result<Metainfo, MetainfoError> {
  if (input.length > limits.maxMetainfoBytes) {
    return refuse('metainfo-too-large', `${input.length} > ${limits.maxMetainfoBytes} bytes`);
  }
  const decoded = decodeBencode(input, { maxDepth: 32, maxValues: limits.maxFiles * 24 + 10_000 });
  if (!decoded.ok) return refuse('not-bencode', `${decoded.error.code} at ${decoded.error.at}`);
  if (decoded.value.type !== 'dictionary') return refuse('not-bencode', 'not a dictionary');
  const info = decoded.value.value.get('info');
  if (info?.type !== 'dictionary') return refuse('info-missing', 'info');

  const pieces = readPieces(info, limits);
  if (!pieces.ok) return pieces;
  const layout = readLayout(info, limits);
  if (!layout.ok) return layout;

  const { pieceLengthBytes, pieceHashes } = pieces.value;
  const { totalLengthBytes } = layout.value;
  const pieceCount = Math.ceil(totalLengthBytes / pieceLengthBytes);
  const hashCount = pieceHashes.length / SHA1_BYTES;
  if (hashCount !== pieceCount) {
    return refuse('piece-count-mismatch', `${hashCount} hashes for ${pieceCount} pieces`);
  }

  const infoBytes = input.subarray(info.start, info.end);
  const privateFlag = info.value.get('private');
  return success({
    infoHash: createHash('sha1').update(infoBytes).digest('hex'),
    ...layout.value,
    pieceLengthBytes,
    pieceCount,
    lastPieceLengthBytes: totalLengthBytes - (pieceCount - 1) * pieceLengthBytes,
    pieceHashes,
    isPrivate: privateFlag?.type === 'integer' && privateFlag.value === 1,
    announce: readTrackers(decoded.value),
    infoBytes,
  });
}

function readPieces(
  info: BencodeDictionary,
  limits: MetainfoLimits,
): Result<{ pieceLengthBytes: number; pieceHashes: Uint8Array }, MetainfoError> {
  const length = info.value.get('piece length');
  if (length === undefined) return refuse('field-missing', 'piece length');
  if (length.type !== 'integer') return refuse('field-invalid', 'piece length');
  if (length.value < limits.minPieceLengthBytes || length.value > limits.maxPieceLengthBytes) {
    return refuse('piece-length-unsupported', `${length.value} bytes`);
  }
  const pieces = info.value.get('pieces');
  if (pieces === undefined) {
    return info.value.has('meta version')
      ? refuse('version-unsupported', 'meta version')
      : refuse('field-missing', 'pieces');
  }
  if (pieces.type !== 'string' || pieces.value.length === 0 || pieces.value.length % SHA1_BYTES !== 0) {
    return refuse('field-invalid', 'pieces');
  }
  return success({ pieceLengthBytes: length.value, pieceHashes: pieces.value });
}

type Layout = Pick<Metainfo, 'name' | 'multiFile' | 'files' | 'totalLengthBytes'>;

function readLayout(info: BencodeDictionary, limits: MetainfoLimits): Result<Layout, MetainfoError> {
  const name = info.value.get('name.utf-8') ?? info.value.get('name');
  if (name === undefined) return refuse('field-missing', 'name');
  if (name.type !== 'string') return refuse('field-invalid', 'name');
  const safeName = safeComponent(name.value);
  if (safeName === undefined) return refuse('unsafe-path', printable(name));

  const list = info.value.get('files');
  const files = list === undefined ? readSingleFile(info, safeName) : readFileList(list, limits);
  if (!files.ok) return files;
  const last = files.value.at(-1);
  const totalLengthBytes = last === undefined ? 0 : last.offsetBytes + last.lengthBytes;
  if (totalLengthBytes === 0 || totalLengthBytes > limits.maxTotalLengthBytes) {
    return refuse('size-unsupported', `${totalLengthBytes} bytes`);
  }
  const conflict = conflictingPath(files.value.filter((file) => !file.padding).map((file) => file.path));
  if (conflict !== undefined) return refuse('duplicate-path', conflict);
  return success({ name: safeName, multiFile: list !== undefined, files: files.value, totalLengthBytes });
}

function readSingleFile(info: BencodeDictionary, name: string): Result<MetainfoFile[], MetainfoError> {
  const length = readLength(info);
  if (!length.ok) return length;
  return success([{ path: [name], lengthBytes: length.value, offsetBytes: 0, padding: false }]);
}

function readFileList(list: BencodeValue, limits: MetainfoLimits): Result<MetainfoFile[], MetainfoError> {
  if (list.type !== 'list') return refuse('field-invalid', 'files');
  if (list.value.length > limits.maxFiles) return refuse('too-many-files', `${list.value.length} > ${limits.maxFiles}`);
  const files: MetainfoFile[] = [];
  let offsetBytes = 0;
  for (const entry of list.value) {
    if (entry.type !== 'dictionary') return refuse('field-invalid', 'files');
    const length = readLength(entry);
    if (!length.ok) return length;
    const attributes = fileAttributes(entry);
    if (attributes.includes('l')) return refuse('symlink-unsupported', `file ${files.length}`);
    const path = readPath(entry);
    if (!path.ok) return path;
    files.push({ path: path.value, lengthBytes: length.value, offsetBytes, padding: attributes.includes('p') });
    offsetBytes += length.value;
    if (offsetBytes > limits.maxTotalLengthBytes) return refuse('size-unsupported', `> ${limits.maxTotalLengthBytes}`);
  }
  return success(files);
}

function readLength(entry: BencodeDictionary): Result<number, MetainfoError> {
  const length = entry.value.get('length');
  if (length === undefined) return refuse('field-missing', 'length');
  if (length.type !== 'integer' || length.value < 0) return refuse('field-invalid', 'length');
  return success(length.value);
}

function readPath(entry: BencodeDictionary): Result<string[], MetainfoError> {
  const path: BencodeList | BencodeValue | undefined = entry.value.get('path.utf-8') ?? entry.value.get('path');
  if (path === undefined) return refuse('field-missing', 'path');
  if (path.type !== 'list') return refuse('field-invalid', 'path');
  const components: string[] = [];
  for (const part of path.value) {
    if (part.type !== 'string') return refuse('field-invalid', 'path');
    const component = safeComponent(part.value);
    if (component === undefined) return refuse('unsafe-path', printable(part));
    components.push(component);
  }
  return safeDepth(components) ? success(components) : refuse('unsafe-path', `${components.length} components`);
}

function fileAttributes(entry: BencodeDictionary): string {
  const attributes = entry.value.get('attr');
  return attributes?.type === 'string' ? Buffer.from(attributes.value.subarray(0, 16)).toString('latin1') : '';
}

/** Trackers of `announce-list` (BEP 12), else of `announce`; what is malformed is left out, it costs nobody money. */
function readTrackers(torrent: BencodeDictionary): string[] {
  const found = new Set<string>();
  const add = (value: BencodeValue | undefined): void => {
    if (value?.type !== 'string' || value.value.length === 0 || value.value.length > MAX_TRACKER_URL_BYTES) return;
    if (found.size < MAX_TRACKERS) found.add(Buffer.from(value.value).toString('utf8'));
  };
  const tiers = torrent.value.get('announce-list');
  if (tiers?.type === 'list') {
    for (const tier of tiers.value) if (tier.type === 'list') tier.value.forEach(add);
  }
  if (found.size === 0) add(torrent.value.get('announce'));
  return [...found];
}

function printable(value: BencodeString): string {
  return JSON.stringify(Buffer.from(value.value.subarray(0, 255)).toString('utf8'));
}

function refuse(code: MetainfoErrorCode, detail: string): { readonly ok: false; readonly error: MetainfoError } {
  return failure({ code, detail });
}
