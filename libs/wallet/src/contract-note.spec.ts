import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MAX_NOTED_DEPOSITS, noteOfScript, noteScript, openNote, sealNote } from './contract-note.js';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const deposits = fc.array(fc.record({ sellerPublicKey: bytes(33), lockUnits: fc.integer({ min: 0, max: 65_535 }) }), {
  minLength: 1,
  maxLength: MAX_NOTED_DEPOSITS,
});

it('comes back whole, fits a relayed output, and opens with no other key, transaction or byte', () => {
  fc.assert(
    fc.property(bytes(32), bytes(36), deposits, fc.nat(), (key, outpoint, noted, spot) => {
      const note = sealNote(key, outpoint, noted);
      const script = noteScript(note);
      expect(script.length).toBeLessThanOrEqual(83);
      expect(noteOfScript(script)).toEqual(note);
      expect(openNote(key, outpoint, note)).toEqual(noted);
      const flipped = (of: Uint8Array) => of.map((byte, at) => (at === spot % of.length ? byte ^ 1 : byte));
      expect(openNote(flipped(key), outpoint, note)).toBeUndefined();
      expect(openNote(key, flipped(outpoint), note)).toBeUndefined();
      expect(openNote(key, outpoint, flipped(note))).toBeUndefined();
    }),
  );
});

it('takes other data outputs for none', () => {
  for (const script of ['', '6a', '6a00', '6a0401020304', '6a4c', '76a914']) {
    expect(noteOfScript(Uint8Array.from(Buffer.from(script, 'hex')))).toBeUndefined();
  }
});
