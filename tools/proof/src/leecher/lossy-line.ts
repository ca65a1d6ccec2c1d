import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface LineConduct {
  /** In each direction. */
  readonly bytesPerSecond: number;
  /** Milliseconds between two stalls, and how long nothing passes then. */
  readonly stallEveryMs: number;
  readonly stallMs: number;
  /** Milliseconds between two cuts: every connection over the line is reset. */
  readonly cutEveryMs: number;
}

/** Passed on at once; a slow line makes pauses between such parts. */
const PART_BYTES = 16 * 1024;
/** Times vary by so much, so that they fall everywhere in the exchange. */
const SPREAD = 0.5;

/**
 * A bad line to a seller, as TCP shows it to both ends: slow, silent for a while, cut now and then. It keeps the order
 * of bytes and holds one part of each direction, so that who sends too much has to wait.
 */
export class LossyLine {
  stalls = 0;
  cuts = 0;
  private stalledUntilMs = 0;
  private readonly sockets = new Set<Socket>();
  private readonly timers = new Map<'stall' | 'cut', NodeJS.Timeout>();

  private constructor(
    private readonly server: Server,
    readonly address: string,
    private readonly conduct: LineConduct,
  ) {
    this.again('stall', conduct.stallEveryMs, () => {
      this.stalls += 1;
      this.stalledUntilMs = performance.now() + conduct.stallMs;
    });
    this.again('cut', conduct.cutEveryMs, () => {
      if (this.sockets.size > 0) this.cuts += 1;
      for (const socket of this.sockets) socket.resetAndDestroy();
    });
  }

  /** @param to HOST:PORT behind the line */
  static async open(to: string, conduct: LineConduct): Promise<LossyLine> {
    const [host = '', port = ''] = to.split(':');
    const holder: { line?: LossyLine } = {};
    const server = createServer({ pauseOnConnect: true }, (near) => {
      const far = connect({ host, port: Number(port), noDelay: true });
      holder.line?.join(near, far);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    return (holder.line = new LossyLine(server, address, conduct));
  }

  close(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      void this.carry(from, to).catch(() => to.destroy());
    }
  }

  private async carry(from: Socket, to: Socket): Promise<void> {
    for await (const chunk of from) {
      const bytes = chunk as Buffer;
      for (let at = 0; at < bytes.length; at += PART_BYTES) {
        const part = bytes.subarray(at, at + PART_BYTES);
        const stalledMs = Math.max(0, this.stalledUntilMs - performance.now());
        await pause((part.length / this.conduct.bytesPerSecond) * 1_000 + stalledMs);
        if (to.destroyed) return;
        if (!to.write(part)) await new Promise((resolve) => to.once('drain', resolve).once('close', resolve));
      }
    }
    to.end();
  }

  private again(name: 'stall' | 'cut', everyMs: number, work: () => void): void {
    const afterMs = everyMs * (1 - SPREAD + 2 * SPREAD * Math.random());
    const run = (): void => {
      work();
      this.again(name, everyMs, work);
    };
    this.timers.set(name, setTimeout(run, afterMs));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
