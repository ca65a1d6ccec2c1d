import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP, type AddressInfo } from 'node:net';
import { locationBelow, type Metainfo, type MetainfoFile } from '@seedfleet/bittorrent';
import type { RunningDownload } from '../download/download.js';
import type { Reporter } from '../events.js';
import { BuyerError, ExitCode } from '../failure.js';
import type { PeerAddress } from '../options.js';
import { contentType } from './content-type.js';
import { readRange, type ByteRange } from './range.js';
import { Readers, type Reader } from './readers.js';

/** Bytes read from the disk at once. */
const CHUNK_BYTES = 256 * 1024;
/** A player opens a few connections; more are refused. */
const MAX_CONNECTIONS = 32;

export interface StreamOptions {
  /** Port 0: any free one. */
  readonly listen: PeerAddress;
  readonly outDir: string;
  readonly reporter: Reporter;
}

/**
 * Serves the files of a running download to a player over HTTP, with byte ranges. An answer waits for the pieces that
 * it needs, and has them bought first. The largest file is at `/`, every file at `/N/NAME`.
 */
export class StreamServer {
  private readonly readers: Readers;
  private readonly stopping = new AbortController();

  private constructor(
    private readonly server: Server,
    private readonly download: RunningDownload,
    private readonly options: StreamOptions,
  ) {
    this.readers = new Readers(download.metainfo.pieceLengthBytes);
    server.maxConnections = MAX_CONNECTIONS;
    server.on('request', (request, response) => {
      this.answer(request, response).catch(() => response.destroy());
    });
  }

  /** Throws `listen-failed` where the port can't be had. */
  static async listen(download: RunningDownload, options: StreamOptions): Promise<StreamServer> {
    const server = createServer();
    const { host, port } = options.listen;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (failure: NodeJS.ErrnoException) =>
        reject(
          new BuyerError(ExitCode.usage, 'listen-failed', `${host}:${port} can't be listened on: ${failure.code}`),
        ),
      );
      server.listen(port, host, resolve);
    });
    const stream = new StreamServer(server, download, options);
    const files = playable(download.metainfo).map(({ path }, place) => `${stream.url}${place}/${encodePath(path)}`);
    options.reporter.report({ event: 'streaming', url: stream.url, files });
    return stream;
  }

  get url(): string {
    const { address, port, family } = this.server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}/`;
  }

  /** Ends every answer. */
  async close(): Promise<void> {
    this.stopping.abort();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedMs = performance.now();
    if (!isLocalName(request.headers.host)) return refuse(response, 403);
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405);
    const file = fileAt(this.download.metainfo, request.url ?? '/');
    if (file === undefined) return refuse(response, 404);
    const etag = `"${this.download.metainfo.infoHash}-${file.offsetBytes}"`;
    const ifRange = request.headers['if-range'];
    const wanted = ifRange === undefined || ifRange === etag ? request.headers.range : undefined;
    const range = readRange(wanted, file.lengthBytes);
    response.setHeader('Accept-Ranges', 'bytes').setHeader('ETag', etag);
    response.setHeader('Content-Type', contentType(file.path.at(-1) ?? ''));
    if (range === 'unsatisfiable') {
      response.setHeader('Content-Range', `bytes */${file.lengthBytes}`);
      return refuse(response, 416);
    }
    const bytes = range === 'whole' ? { start: 0, end: file.lengthBytes } : range;
    if (range !== 'whole') {
      response.statusCode = 206;
      response.setHeader('Content-Range', `bytes ${bytes.start}-${bytes.end - 1}/${file.lengthBytes}`);
    }
    response.setHeader('Content-Length', bytes.end - bytes.start);
    if (request.method === 'HEAD' || bytes.end === bytes.start) return void response.end();
    await this.send(file, bytes, response, startedMs);
  }

  private async send(file: MetainfoFile, bytes: ByteRange, response: ServerResponse, startedMs: number): Promise<void> {
    const { metainfo, pieces } = this.download;
    const pieceOf = (offset: number): number => Math.floor((file.offsetBytes + offset) / metainfo.pieceLengthBytes);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, this.stopping.signal]);
    const reader: Reader = { piece: pieceOf(bytes.start), endPiece: pieceOf(bytes.end - 1) + 1 };
    this.readers.add(reader);
    const handle = await open(this.pathOf(file), 'r');
    try {
      const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
      for (let at = bytes.start; at < bytes.end;) {
        reader.piece = pieceOf(at);
        if (!pieces.has(reader.piece)) {
          this.preferWanted();
          await pieces.until(reader.piece, signal);
        }
        const pieceEnd = (reader.piece + 1) * metainfo.pieceLengthBytes - file.offsetBytes;
        const length = Math.min(CHUNK_BYTES, pieceEnd - at, bytes.end - at);
        const { bytesRead } = await handle.read(buffer, 0, length, at);
        if (bytesRead === 0) throw new Error('a written piece is not in its file');
        if (at === bytes.start) {
          const ms = Math.round(performance.now() - startedMs);
          this.options.reporter.report({ event: 'first-byte', offset: at, ms });
        }
        // Copied: the buffer is used again while the socket may still hold this part.
        const taken = response.write(Buffer.from(buffer.subarray(0, bytesRead)));
        at += bytesRead;
        if (!taken) await once(response, 'drain', { signal });
      }
      response.end();
    } finally {
      this.readers.remove(reader);
      this.preferWanted();
      await handle.close();
    }
  }

  private preferWanted(): void {
    this.download.prefer(this.readers.wanted((piece) => this.download.pieces.has(piece)));
  }

  private pathOf(file: MetainfoFile): string {
    const { metainfo } = this.download;
    const place = metainfo.files.indexOf(file);
    const path = locationBelow(metainfo, this.options.outDir).files[place]?.path;
    if (path === undefined) throw new Error('every file of a torrent has a place');
    return path;
  }
}

function playable({ files }: Metainfo): readonly MetainfoFile[] {
  return files.filter(({ padding }) => !padding);
}

/** `/`: the largest file, which is the film. `/N` or `/N/NAME`: the file of that number. */
function fileAt(metainfo: Metainfo, url: string): MetainfoFile | undefined {
  const files = playable(metainfo);
  const path = url.split(/[?#]/)[0] ?? '/';
  if (path === '/') return [...files].sort((a, b) => b.lengthBytes - a.lengthBytes)[0];
  const place = /^\/(\d{1,6})(\/|$)/.exec(path)?.[1];
  return place === undefined ? undefined : files[Number(place)];
}

function encodePath(path: readonly string[]): string {
  return path.map(encodeURIComponent).join('/');
}

/** A web page must not read the stream through a name of its own that leads here (DNS rebinding). */
function isLocalName(host: string | undefined): boolean {
  const name = (host ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return name === 'localhost' || isIP(name) !== 0;
}

function refuse(response: ServerResponse, status: number): void {
  response.statusCode = status;
  response.end();
}
