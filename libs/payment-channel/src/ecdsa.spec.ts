import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { bestEcdsa, derSignature, fromHex, nativeEcdsa, parseDerSignature, toHex, wasmEcdsa } from './index.js';

/**
 * Both back ends must give the same verdict on every input: a payment accepted by one node and refused by another would
 * be money lost. 10,000 signatures, valid and spoilt in every way, from a fixed seed.
 */

const CASES = 10_000;
const ORDER = fromHex('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141');
const native = nativeEcdsa();

interface Sample {
  digest: Uint8Array;
  compact: Uint8Array;
  publicKey: Uint8Array;
}

const bytes = (...seed: (string | number)[]): Uint8Array =>
  Uint8Array.from(createHash('sha256').update(seed.join('/')).digest());

function flip(target: Uint8Array, seed: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(target);
  const at = seed[0]! % copy.length;
  copy[at]! ^= 1 << (seed[1]! % 8);
  return copy;
}

function halves(compact: Uint8Array): [Uint8Array, Uint8Array] {
  return [compact.slice(0, 32), compact.slice(32)];
}

function negated(scalar: Uint8Array): Uint8Array {
  const value = BigInt('0x' + toHex(ORDER)) - BigInt('0x' + toHex(scalar));
  return fromHex(value.toString(16).padStart(64, '0'));
}

/** The ways in which a sample is spoilt; the first leaves it valid. */
const mutations: readonly ((sample: Sample, seed: Uint8Array) => Partial<Sample>)[] = [
  () => ({}),
  ({ compact }, seed) => ({ compact: flip(compact, seed) }),
  ({ digest }, seed) => ({ digest: flip(digest, seed) }),
  ({ publicKey }, seed) => ({ publicKey: flip(publicKey, seed) }),
  ({ compact }) => ({ compact: Uint8Array.of(...compact.slice(0, 32), ...negated(compact.slice(32))) }),
  ({ compact }) => ({ compact: Uint8Array.of(...halves(compact)[1], ...halves(compact)[0]) }),
  ({ compact }) => ({ compact: Uint8Array.of(...new Uint8Array(32), ...halves(compact)[1]) }),
  ({ compact }) => ({ compact: Uint8Array.of(...halves(compact)[0], ...new Uint8Array(32)) }),
  ({ compact }) => ({ compact: Uint8Array.of(...ORDER, ...halves(compact)[1]) }),
  ({ compact }) => ({ compact: Uint8Array.of(...halves(compact)[0], ...ORDER) }),
  ({ compact }, seed) => ({ compact: compact.slice(0, seed[0]! % 64) }),
  ({ publicKey }, seed) => ({ publicKey: Uint8Array.of(seed[0]!, ...publicKey.slice(1)) }),
  (_, seed) => ({ publicKey: Uint8Array.of(2 + (seed[0]! & 1), ...seed) }),
  (_, seed) => ({ compact: Uint8Array.of(...seed, ...bytes('s', seed[0]!, seed[1]!, seed[2]!)) }),
  ({ publicKey }, seed) => ({ publicKey: publicKey.slice(0, seed[0]! % 33) }),
  () => ({ publicKey: new Uint8Array(33) }),
];

test.runIf(native)(
  'native and WebAssembly agree on valid and spoilt signatures',
  () => {
    if (!native) return;
    let valid = 0;
    const disagreements: string[] = [];
    for (let i = 0; i < CASES; i++) {
      const privateKey = bytes('key', i % 64);
      const digest = bytes('digest', i);
      const publicKey = native.publicKeyFor(privateKey)!;
      const sample: Sample = { digest, compact: native.sign(digest, privateKey), publicKey };
      const spoil = mutations[(i >> 1) % mutations.length]!;
      // Every second sample stays as it is, so that half of them are valid.
      const tried = i % 2 === 0 ? sample : { ...sample, ...spoil(sample, bytes('mutation', i)) };
      const verdict = native.verify(tried.digest, tried.compact, tried.publicKey);
      if (verdict) valid++;
      const same =
        wasmEcdsa.verify(tried.digest, tried.compact, tried.publicKey) === verdict &&
        wasmEcdsa.isPoint(tried.publicKey) === native.isPoint(tried.publicKey);
      if (!same) disagreements.push(`${i}: ${toHex(tried.compact)} ${toHex(tried.publicKey)}`);
    }
    expect(disagreements).toEqual([]);
    expect(valid).toBeGreaterThanOrEqual(CASES / 2);
    expect(valid).toBeLessThan((CASES * 2) / 3);
  },
  15_000,
);

test.runIf(native)('native and WebAssembly make the same keys and the same deterministic signatures', () => {
  if (!native) return;
  for (let i = 0; i < 200; i++) {
    const [privateKey, digest] = [bytes('key', i), bytes('digest', i)];
    expect(toHex(native.publicKeyFor(privateKey)!)).toBe(toHex(wasmEcdsa.publicKeyFor(privateKey)!));
    const signature = native.sign(digest, privateKey);
    expect(toHex(signature)).toBe(toHex(wasmEcdsa.sign(digest, privateKey)));
    expect(parseDerSignature(derSignature(signature))).toEqual({ ok: true, compact: Uint8Array.from(signature) });
  }
  for (const privateKey of [new Uint8Array(32), ORDER, new Uint8Array(31), Uint8Array.from([...ORDER, 0])]) {
    expect(native.publicKeyFor(privateKey)).toBeUndefined();
    expect(wasmEcdsa.publicKeyFor(privateKey)).toBeUndefined();
  }
});

test('the best back end is the native one where it loads', () => {
  expect(bestEcdsa().name).toBe(native ? 'native' : 'wasm');
});
