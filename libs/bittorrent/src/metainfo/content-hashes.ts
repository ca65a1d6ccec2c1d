import { createHash } from 'node:crypto';
import { decodeBencode, type BencodeDictionary, type BencodeValue } from '../bencode/decode.js';
import { DEFAULT_METAINFO_LIMITS, type Metainfo } from './metainfo.js';

const SHA1_BYTES = 20;
const SHA256_BYTES = 32;

/**
 * Hashes by which the torrent's files can be known, lowercase hex without repetition: those its .torrent file tells, which
 * nobody checks against the content. They are `sha1` (BEP 47) and `md5sum` of a file; the SHA-1 of a file that is exactly
 * one piece, which is that piece's hash; and of a hybrid torrent `pieces root` of each file and the version 2 infohash
 * (BEP 52). A plain version 1 torrent has hashes of pieces only, hence mostly none.
 */
export function contentHashes(metainfo: Metainfo): string[] {
  const found = new Set<string>(onePieceFiles(metainfo));
  const limits = { maxDepth: 32, maxValues: DEFAULT_METAINFO_LIMITS.maxFiles * 24 + 10_000 };
  const decoded = decodeBencode(metainfo.infoBytes, limits);
  if (!decoded.ok || decoded.value.type !== 'dictionary') return [...found];
  const info = decoded.value;
  noteDeclared(info, found);
  const list = info.value.get('files');
  if (list?.type === 'list') for (const file of list.value) if (file.type === 'dictionary') noteDeclared(file, found);
  if (info.value.has('meta version')) {
    found.add(createHash('sha256').update(metainfo.infoBytes).digest('hex'));
    noteTree(info.value.get('file tree'), found);
  }
  return [...found];
}

function noteDeclared(file: BencodeDictionary, found: Set<string>): void {
  const attributes = file.value.get('attr');
  if (attributes?.type === 'string' && Buffer.from(attributes.value).includes('p')) return;
  const sha1 = file.value.get('sha1');
  if (sha1?.type === 'string' && sha1.value.length === SHA1_BYTES) found.add(Buffer.from(sha1.value).toString('hex'));
  const md5 = file.value.get('md5sum');
  if (md5?.type !== 'string') return;
  const text = Buffer.from(md5.value).toString('latin1').toLowerCase();
  if (/^[0-9a-f]{32}$/.test(text)) found.add(text);
}

/** The reader bounds how deep it goes. */
function noteTree(tree: BencodeValue | undefined, found: Set<string>): void {
  if (tree?.type !== 'dictionary') return;
  const root = tree.value.get('pieces root');
  if (root?.type === 'string' && root.value.length === SHA256_BYTES) {
    found.add(Buffer.from(root.value).toString('hex'));
  }
  for (const child of tree.value.values()) noteTree(child, found);
}

function* onePieceFiles(metainfo: Metainfo): Generator<string> {
  const { files, pieceLengthBytes, lastPieceLengthBytes, pieceCount, pieceHashes } = metainfo;
  for (const { offsetBytes, lengthBytes, padding } of files) {
    if (padding || offsetBytes % pieceLengthBytes !== 0) continue;
    const piece = offsetBytes / pieceLengthBytes;
    if (lengthBytes !== (piece === pieceCount - 1 ? lastPieceLengthBytes : pieceLengthBytes)) continue;
    yield Buffer.from(pieceHashes.subarray(piece * SHA1_BYTES, (piece + 1) * SHA1_BYTES)).toString('hex');
  }
}
