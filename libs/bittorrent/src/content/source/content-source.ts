import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Metainfo } from '../../metainfo/metainfo.js';
import { connectionError, openBody, type SourceAgents, type SourceSettings } from './open-body.js';
import { addressOfFile } from './source-address.js';
import type { SourceError } from './source-error.js';

interface OpenFile {
  readonly fileIndex: number;
  readonly message: IncomingMessage;
  readonly chunks: AsyncIterator<Buffer>;
  /** Where in the file the next byte is from. */
  atBytes: number;
  /** Came already, not taken yet. */
  rest: Buffer;
}

const NOTHING = Buffer.alloc(0);

/**
 * Reads a torrent's files from an address. Bytes that follow each other come over one answer; from elsewhere a range is
 * asked for, and of a server that knows no ranges what comes before is read and dropped.
 */
export class ContentSource {
  private readonly agents: SourceAgents = {
    http: new HttpAgent({ keepAlive: true, maxSockets: 2 }),
    https: new HttpsAgent({ keepAlive: true, maxSockets: 2 }),
  };
  private open: OpenFile | undefined;

  constructor(
    private readonly metainfo: Metainfo,
    private readonly base: URL,
    private readonly settings: SourceSettings,
  ) {}

  /** Fills `into` from a file; `onBytes` sees each stretch as it comes. What was read in part is worth nothing. */
  async read(
    fileIndex: number,
    offsetBytes: number,
    into: Uint8Array,
    signal: AbortSignal,
    onBytes: (bytes: Uint8Array) => void,
  ): Promise<SourceError | undefined> {
    if (this.open?.fileIndex !== fileIndex || this.open.atBytes !== offsetBytes) {
      const problem = await this.openAt(fileIndex, offsetBytes, signal);
      if (problem !== undefined) return problem;
    }
    for (let filled = 0; filled < into.length;) {
      const chunk = await this.next(into.length - filled);
      if (!(chunk instanceof Uint8Array)) {
        this.drop();
        return chunk;
      }
      into.set(chunk, filled);
      onBytes(chunk);
      filled += chunk.length;
    }
    return undefined;
  }

  /** Ends the answer that is being read: what comes next is asked for anew. */
  drop(): void {
    this.open?.message.destroy();
    this.open = undefined;
  }

  close(): void {
    this.drop();
    this.agents.http.destroy();
    this.agents.https.destroy();
  }

  private async openAt(fileIndex: number, offsetBytes: number, signal: AbortSignal): Promise<SourceError | undefined> {
    this.drop();
    const address = addressOfFile(this.metainfo, this.base, fileIndex);
    const fileBytes = this.metainfo.files[fileIndex]?.lengthBytes ?? 0;
    const body = await openBody(address, offsetBytes, fileBytes, this.agents, this.settings, signal);
    if (!body.ok) return body.error;
    const { message, startBytes } = body.value;
    const chunks = (message as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    this.open = { fileIndex, message, chunks, atBytes: startBytes, rest: NOTHING };
    while (this.open.atBytes < offsetBytes) {
      const skipped = await this.next(offsetBytes - this.open.atBytes);
      if (skipped instanceof Uint8Array) continue;
      this.drop();
      return skipped;
    }
    return undefined;
  }

  /** At most so many of the bytes that come next. */
  private async next(maxBytes: number): Promise<Uint8Array | SourceError> {
    const { open } = this;
    if (open === undefined) return { code: 'cut-off', detail: '' };
    if (open.rest.length === 0) {
      try {
        const { done, value } = await open.chunks.next();
        if (done === true) return { code: 'cut-off', detail: 'the file ended early' };
        open.rest = value;
      } catch (error) {
        return connectionError(error);
      }
    }
    const taken = open.rest.subarray(0, maxBytes);
    open.rest = open.rest.subarray(taken.length);
    open.atBytes += taken.length;
    return taken;
  }
}
