/**
 * Hashes a torrent's pieces from its files, on a thread of its own: a large folder takes minutes, and whoever serves
 * requests must not wait for it. Plain JavaScript, because a worker is loaded by file name and the tests run from the
 * sources.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

/** Read at a time: large enough for full speed, small beside a piece. */
const CHUNK_BYTES = 1024 * 1024;
/** How often it is told how far it is. */
const TELL_EVERY_MS = 200;

/** @type {import('./make-metainfo.js').MakingJob} */
const { files, pieceLengthBytes } = workerData;
const chunk = new Uint8Array(CHUNK_BYTES);
/** @type {Buffer[]} */
const hashes = [];
let piece = createHash('sha1');
let pieceBytes = 0;
let hashedBytes = 0;
let toldAtMs = Date.now();

/** @param {Uint8Array} bytes */
function take(bytes) {
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + pieceLengthBytes - pieceBytes);
    piece.update(bytes.subarray(at, end));
    pieceBytes += end - at;
    at = end;
    if (pieceBytes === pieceLengthBytes) endPiece();
  }
  hashedBytes += bytes.length;
  if (Date.now() - toldAtMs < TELL_EVERY_MS) return;
  toldAtMs = Date.now();
  parentPort?.postMessage({ hashedBytes });
}

function endPiece() {
  hashes.push(piece.digest());
  piece = createHash('sha1');
  pieceBytes = 0;
}

/**
 * Reads one file. Between looking and opening, a folder of its path may have been replaced by a link: the file counts only
 * where it truly lies where it was found.
 * @param {import('./make-metainfo.js').FileToHash} file
 * @returns {string | undefined} what is wrong: a code of the system, or `changed`
 */
function readFile({ place, lengthBytes, mark }) {
  let descriptor;
  try {
    descriptor = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (realpathSync(dirname(place)) !== dirname(place) || markOf(descriptor) !== mark) return 'changed';
    for (let left = lengthBytes; left > 0;) {
      const count = readSync(descriptor, chunk, 0, Math.min(left, CHUNK_BYTES), null);
      if (count === 0) return 'changed';
      take(chunk.subarray(0, count));
      left -= count;
    }
    return markOf(descriptor) === mark ? undefined : 'changed';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** As the survey writes it. @param {number} descriptor */
function markOf(descriptor) {
  const { dev, ino, size, mtimeNs } = fstatSync(descriptor, { bigint: true });
  return `${dev}:${ino}:${size}:${mtimeNs}`;
}

function run() {
  for (const file of files) {
    const problem = readFile(file);
    if (problem !== undefined) return { problem, place: file.place };
  }
  if (pieceBytes > 0) endPiece();
  return { pieces: new Uint8Array(Buffer.concat(hashes)) };
}

parentPort?.postMessage(run());
