import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { principalOf } from '../access/principal.js';
import { MAX_METAINFO_BYTES } from '../torrents/torrent.schemas.js';
import { isTooDeep, MAX_JSON_DEPTH } from './json-depth.js';
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
  const small = express.json({ limit: SMALL_BYTES, strict: true, verify: refuseDeep });
  const large = express.json({ limit: LARGE_BYTES, strict: true, verify: refuseDeep });
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
    return (isTorrent && mayAdd ? large : small)(request, response, toldApart(next));
  };
}

class TooDeep extends Error {}

function refuseDeep(_request: unknown, _response: unknown, text: Buffer): void {
  if (isTooDeep(text)) throw new TooDeep();
}

/** The parser marks what it passes on, and a problem so marked would be taken for one of its own errors. */
function toldApart(next: NextFunction): NextFunction {
  return (failure?: unknown) =>
    failure instanceof TooDeep
      ? next(new Problem(400, 'body-too-deep', `the body is nested deeper than ${MAX_JSON_DEPTH}`))
      : next(failure);
}

function hasBody(request: Request): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}
