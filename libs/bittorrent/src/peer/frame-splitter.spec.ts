import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameSplitter, type ExtendedPolicy } from './frame-splitter.js';

const PIECES = 100;

const policy: ExtendedPolicy = {
  limitBytes: (id) => (id === 67 ? 1_000_000 : id >= 60 && id <= 70 ? 256 : undefined),
};

interface Seen {
  readonly frames: string[];
  readonly splitter: FrameSplitter;
}

function recorder(custom: ExtendedPolicy = policy): Seen {
  const frames: string[] = [];
  const splitter = new FrameSplitter({ pieceCount: PIECES, takesBlocks: false }, custom, {
    standard: (frame) => frames.push(`standard ${Buffer.from(frame).toString('hex')}`),
    extended: (id, payload) => frames.push(`extended ${id} ${Buffer.from(payload).toString('hex')}`),
  });
  return { frames, splitter };
}

function frame(...parts: (number | Uint8Array)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : part)));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** Frames that a correct peer may send, each with what should be seen of it. */
const anyFrame = fc.oneof(
  fc.constant({ bytes: Buffer.alloc(4), seen: ['standard 00000000'] }),
  fc.constantFrom(0, 1, 2, 3, 14, 15).map((id) => ({ bytes: frame(id), seen: [`standard 00000001${hex(id)}`] })),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((body) => {
    const bytes = frame(6, body);
    return { bytes, seen: [`standard ${bytes.toString('hex')}`] };
  }),
  fc.uint8Array({ minLength: 13, maxLength: 13 }).map((body) => {
    const bytes = frame(5, body);
    return { bytes, seen: [`standard ${bytes.toString('hex')}`] };
  }),
  fc.uint8Array({ maxLength: 300 }).map((body) => ({ bytes: frame(99, body), seen: [] })),
  fc.tuple(fc.constantFrom(0, 60, 67, 70), fc.uint8Array({ maxLength: 256 })).map(([id, body]) => ({
    bytes: frame(20, id, body),
    seen: [`extended ${id} ${Buffer.from(body).toString('hex')}`],
  })),
);

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

describe('FrameSplitter', () => {
  it('sees the same frames however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 12 }), fc.array(fc.integer({ min: 1, max: 40 })), (frames, cuts) => {
        const stream = Buffer.concat(frames.map(({ bytes }) => bytes));
        const { frames: seen, splitter } = recorder();
        let at = 0;
        for (const cut of [...cuts, stream.length]) {
          expect(splitter.push(stream.subarray(at, at + cut))).toBeUndefined();
          at += cut;
        }
        expect(seen).toEqual(frames.flatMap((one) => one.seen));
      }),
    );
  });

  it('sees the same frames when they are read into the memory where they belong', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 12 }), fc.array(fc.integer({ min: 1, max: 40 })), (frames, cuts) => {
        const stream = Buffer.concat(frames.map(({ bytes }) => bytes));
        const { frames: seen, splitter } = recorder();
        let at = 0;
        for (let turn = 0; at < stream.length; turn += 1) {
          const { room } = splitter;
          const cut = stream.subarray(at, at + Math.min(cuts[turn % cuts.length] ?? 7, room?.length ?? Infinity));
          at += cut.length;
          if (room === undefined) {
            expect(splitter.push(cut)).toBeUndefined();
          } else {
            room.set(cut);
            splitter.filled(cut.length);
          }
        }
        expect(seen).toEqual(frames.flatMap((one) => one.seen));
      }),
    );
  });

  it('never throws and stays within its limits, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), (chunks) => {
        const { splitter } = recorder();
        for (const chunk of chunks) {
          splitter.push(chunk);
          expect(splitter.reservedBytes).toBeLessThanOrEqual(1_000_000);
        }
      }),
    );
  });

  it.each<[string, Buffer, string]>([
    ['an extended message above its limit', Buffer.from('000001031446', 'hex'), 'extended-too-large'],
    ['one of 4 GiB', Buffer.from('ffffffff1443', 'hex'), 'extended-too-large'],
    ['an id nobody takes', Buffer.from('000000031409', 'hex'), 'extended-id-unknown'],
    ['an extended handshake of 64 KiB and a byte', Buffer.from('000100031400', 'hex'), 'extended-too-large'],
    ['an extended message without an id', Buffer.from('0000000114', 'hex'), 'frame-malformed'],
    ['a long choke', Buffer.from('0000000200', 'hex'), 'frame-malformed'],
    ['a bitfield for another torrent', Buffer.from('0000000f05', 'hex'), 'frame-malformed'],
    ['a huge bitfield', Buffer.from('7fffffff05', 'hex'), 'frame-malformed'],
    ['a block nobody asked for', Buffer.from('0000400907', 'hex'), 'protocol-violation'],
    ['a huge unknown frame', Buffer.from('7fffffff63', 'hex'), 'frame-too-large'],
  ])('refuses %s by its header alone', (_what, header, code) => {
    const { splitter, frames } = recorder();
    expect(splitter.push(header)).toBe(code);
    expect(splitter.reservedBytes).toBe(0);
    expect(splitter.push(frame(0))).toBeUndefined();
    expect(frames).toEqual([]);
  });

  it('gathers a large payload in the memory it is given', () => {
    const memory = new Uint8Array(500_000);
    const payloads: Uint8Array[] = [];
    const splitter = new FrameSplitter(
      { pieceCount: PIECES, takesBlocks: false },
      { ...policy, allocate: (_id, length) => memory.subarray(0, length) },
      { standard: () => undefined, extended: (_id, payload) => payloads.push(payload) },
    );
    const body = Buffer.alloc(400_000, 7);
    const stream = frame(20, 67, body);
    for (let at = 0; at < stream.length; at += 65_536) splitter.push(stream.subarray(at, at + 65_536));
    expect(payloads[0]?.buffer).toBe(memory.buffer);
    expect(body.equals(payloads[0] ?? new Uint8Array())).toBe(true);
  });

  it('stops in the middle of a chunk', () => {
    const frames: number[] = [];
    const splitter: FrameSplitter = new FrameSplitter({ pieceCount: PIECES, takesBlocks: false }, policy, {
      standard: () => undefined,
      extended: (id) => {
        frames.push(id);
        splitter.stop();
      },
    });
    splitter.push(Buffer.concat([frame(20, 60), frame(20, 61)]));
    expect(frames).toEqual([60]);
  });
});
