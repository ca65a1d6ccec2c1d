import { describe, expect, it } from 'vitest';
import { FrameSplitter } from './frames.js';
import { bytesOf } from './testing/hex.js';

describe('frame splitter', () => {
  it('tells extended messages from others', () => {
    const split = new FrameSplitter(100).push(bytesOf('00000000' + '0000000102' + '00000005144d616263' + '0000000114'));
    expect(split).toEqual({
      ok: true,
      frames: [
        { kind: 'other', body: bytesOf('') },
        { kind: 'other', body: bytesOf('02') },
        { kind: 'extended', extendedId: 0x4d, payload: bytesOf('616263') },
        { kind: 'other', body: bytesOf('14') },
      ],
    });
  });

  it('refuses a frame above the limit as soon as its length is known, and stays refusing', () => {
    const splitter = new FrameSplitter(16);
    const split = splitter.push(bytesOf('0000000102' + '00000011'));
    expect(split).toEqual({
      ok: false,
      code: 'frame-too-long',
      frames: [{ kind: 'other', body: bytesOf('02') }],
      declaredBytes: 17,
    });
    expect(splitter.push(bytesOf('0000000102'))).toMatchObject({ ok: false, frames: [] });
    expect(splitter.pendingBytes).toBe(0);
  });

  it('holds back an incomplete frame only', () => {
    const splitter = new FrameSplitter(16);
    expect(splitter.push(bytesOf('000000'))).toEqual({ ok: true, frames: [] });
    expect(splitter.push(bytesOf('0214'))).toEqual({ ok: true, frames: [] });
    expect(splitter.pendingBytes).toBe(1);
    expect(splitter.push(bytesOf('3c'))).toEqual({
      ok: true,
      frames: [{ kind: 'extended', extendedId: 60, payload: bytesOf('') }],
    });
    expect(splitter.pendingBytes).toBe(0);
  });
});
