import fc from 'fast-check';
import type { Message } from '../messages.js';

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const publicKey = fc.tuple(fc.constantFrom(2, 3), bytes(32)).map(([prefix, x]) => Uint8Array.of(prefix, ...x));
const blob = fc.uint8Array({ maxLength: 300 });

/** Any message that the wire can carry; public keys have a good prefix and may lie off the curve. */
export const arbitraryMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.constant({ type: 'observe' } as const),
  fc.record({
    type: fc.constant('buy' as const),
    terms: fc.record({ maxContractFeePerKb: u64, maxLock: u16, maxPrice: u64, minNumberOfSellers: u32 }),
  }),
  fc.record({
    type: fc.constant('sell' as const),
    terms: fc.record({ minContractFeePerKb: u64, minLock: u16, minPrice: u64, maxSellers: u32, settlementFee: u64 }),
    index: u32,
  }),
  fc.record({ type: fc.constant('join_contract' as const), index: u32 }),
  fc.record({
    type: fc.constant('joining_contract' as const),
    sellerPublicKey: publicKey,
    sellerKeyHash: bytes(20),
  }),
  fc.record({
    type: fc.constant('ready' as const),
    value: u64,
    outpoint: fc.record({ txid: bytes(32), index: u32 }),
    buyerPublicKey: publicKey,
    buyerKeyHash: bytes(20),
  }),
  fc.record({
    type: fc.constant('request_full_piece' as const),
    piece: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  }),
  fc.record({ type: fc.constant('full_piece' as const), data: blob }),
  fc.record({ type: fc.constant('payment' as const), signature: fc.uint8Array({ maxLength: 73 }) }),
  fc.record({ type: fc.constant('speedTestRequest' as const), size: u32 }),
  fc.record({ type: fc.constant('speedTestPayload' as const), data: blob }),
);
