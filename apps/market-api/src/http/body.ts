import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { principalOf } from '../access/principal.js';
import { MAX_METAINFO_BYTES } from '../torrents/torrent.schemas.js';
import { Problem } from './problem.js';

/** Every body but a .torrent file fits this many times over. */
const SMALL_BYTES = 64 * 1024;
/** A .torrent file in base64, with its path and labels. */
const LARGE_BYTES = Math.ceil(MAX_METAINFO_BYTES / 3) * 4 + SMALL_BYTES;

const TORRENT_FILE_TYPES = ['application/x-bittorrent', 'application/octet-stream'];

/**
 * Reads bodies within bounds: large ones only where a torrent is added, and only from somebody whose key may do so.
 * Other content types than JSON and .torrent files are refused.
 */
export function bodies(): RequestHandler {
  const small = express.json({ limit: SMALL_BYTES, strict: true });
  const large = express.json({ limit: LARGE_BYTES, strict: true });
  const file = express.raw({ limit: MAX_METAINFO_BYTES, type: TORRENT_FILE_TYPES });
  return (request: Request, response: Response, next: NextFunction): void => {
    if (!hasBody(request)) return next();
    const isTorrent = request.method === 'POST' && request.path === '/v1/torrents';
    const mayAdd = principalOf(request)?.scopes.includes('operate') === true;
    const isJson = request.is('application/json') !== false;
    if (isTorrent && request.is(TORRENT_FILE_TYPES) !== false) {
      // Unread bodies of strangers are dropped with the answer that the scope guard gives.
      return mayAdd ? file(request, response, next) : next();
    }
    if (!isJson) return next(new Problem(415, 'unsupported-media-type', 'send application/json'));
    return (isTorrent && mayAdd ? large : small)(request, response, next);
  };
}

function hasBody(request: Request): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}
