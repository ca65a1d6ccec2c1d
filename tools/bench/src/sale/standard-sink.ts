import { PieceRun, SinkConnection, type ConnectionOptions } from './sink-connection.js';

const MessageId = { unchoke: 1, interested: 2, piece: 7 } as const;
/** What every client asks for at a time (BEP 3). */
const BLOCK_BYTES = 16_384;
/** A standard client's pipeline is deep: at least this much is asked for ahead, whatever a piece holds. */
const MIN_PIPELINE_BYTES = 4 * 1024 * 1024;

export interface StandardOptions extends ConnectionOptions {
  readonly pieceLengthBytes: number;
  readonly run: ConstructorParameters<typeof PieceRun>[0];
  readonly onWarm: () => void;
  readonly onDone: () => void;
}

/** A plain BitTorrent downloader, for the comparison with libtorrent. */
export class StandardSink extends SinkConnection {
  private readonly run: PieceRun;
  private blocksOfPiece = 0;
  private readonly outgoing: Buffer[] = [];
  private started = false;

  constructor(private readonly settings: StandardOptions) {
    super(settings);
    const { pieceLengthBytes, run } = settings;
    const requestsOpen = Math.max(run.requestsOpen, Math.ceil(MIN_PIPELINE_BYTES / pieceLengthBytes));
    this.run = new PieceRun({ ...run, requestsOpen }, settings, (piece) => this.request(piece));
  }

  get arrived(): number {
    return this.run.arrived;
  }

  go(): void {
    this.run.go();
    this.flush();
  }

  protected onHandshake(): void {
    this.send(Buffer.from([0, 0, 0, 1, MessageId.interested]));
  }

  protected onControl(body: Uint8Array): void {
    if (body[0] !== MessageId.unchoke || this.started) return;
    this.started = true;
    this.run.warmUp();
    this.flush();
  }

  protected onBulk(id: number): void {
    if (id !== MessageId.piece) return;
    this.blocksOfPiece += 1;
    if (this.blocksOfPiece * BLOCK_BYTES < this.settings.pieceLengthBytes) return;
    this.blocksOfPiece = 0;
    this.run.onPiece();
    this.flush();
  }

  private request(piece: number): void {
    const { pieceLengthBytes } = this.settings;
    const blocks = pieceLengthBytes / BLOCK_BYTES;
    const frames = Buffer.alloc(17 * blocks);
    for (let block = 0; block < blocks; block += 1) {
      const at = 17 * block;
      frames.writeUInt32BE(13, at);
      frames.writeUInt8(6, at + 4);
      frames.writeUInt32BE(piece, at + 5);
      frames.writeUInt32BE(block * BLOCK_BYTES, at + 9);
      frames.writeUInt32BE(BLOCK_BYTES, at + 13);
    }
    this.outgoing.push(frames);
  }

  private flush(): void {
    if (this.outgoing.length > 0) this.send(Buffer.concat(this.outgoing.splice(0)));
  }
}
