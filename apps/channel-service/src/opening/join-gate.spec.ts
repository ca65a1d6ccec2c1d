import { policyWith, relayFloorSat } from '@seedfleet/policy';
import { describe, expect, it } from 'vitest';
import { gateJoin, type OpenRequest } from './join-gate.js';

const TERMS = {
  priceSat: 100n,
  lockUnits: 20,
  settlementFeeSat: 434n,
  minContractFeePerKbSat: 1_000n,
  maxSellers: 5,
};

const REQUEST: OpenRequest = {
  joinId: '4b7d8f9e-0000-4000-8000-000000000001',
  nodeId: 'node-1',
  infoHash: 'ab'.repeat(20),
  pieceCount: 100,
  pieceLength: 16_384,
  totalBytes: 1_638_400,
  termsIndex: 0,
  terms: TERMS,
  buyerTerms: { maxPriceSat: 100n, maxLockUnits: 20, maxContractFeePerKbSat: 1_024n, minSellers: 1 },
  peer: { address: '203.0.113.9', port: 1, subnet: '203.0.113.0/24', client: '' },
};

const NOBODY = { address: 0, subnet: 0, node: 0, isLocal: false };
const QUIET = { sixBlockSatPerKvb: 1_000n };

const gate = (terms: Partial<typeof TERMS> = {}, rate = 1_000n, waiting = NOBODY) =>
  gateJoin({ ...REQUEST, terms: { ...TERMS, ...terms } }, { sixBlockSatPerKvb: rate }, waiting, policyWith());

describe('the gate at the join', () => {
  it('lets a sale pass that pays for its settlement', () => {
    expect(gate()).toBeNull();
  });

  it('opens nothing below what nodes relay where nothing can be added later, and offers what they do', () => {
    const policy = policyWith();
    const at = (settlementFeeSat: bigint, minimumSatPerKvb: bigint) =>
      gateJoin(
        { ...REQUEST, terms: { ...TERMS, priceSat: 200n, settlementFeeSat } },
        QUIET,
        NOBODY,
        policy,
        policy.lock.minUnits,
        relayFloorSat(minimumSatPerKvb, policy),
      );
    expect(at(347n, 1_000n)).toBeNull();
    expect(at(346n, 1_000n)).toMatchObject({ code: 'fee-below-relay', revisedTerms: { settlementFeeSat: 434n } });
    // A node that asks for more than what is quoted by the estimates.
    expect(at(434n, 2_000n)).toMatchObject({ code: 'fee-below-relay', revisedTerms: { settlementFeeSat: 694n } });
  });

  it('offers the fee of today where the quoted one is stale, if the sale still pays then', () => {
    expect(gate({ priceSat: 200n }, 2_000n)).toMatchObject({
      code: 'quote-stale',
      revisedTerms: { settlementFeeSat: 868n, priceSat: 200n },
    });
  });

  it('offers nothing where no terms would do: repeating a sell makes buyers loop', () => {
    expect(gate({ priceSat: 1n })).toMatchObject({ code: 'fee-share-too-high', revisedTerms: null });
    expect(gate({}, 50_000n)).toMatchObject({ code: 'quote-stale', revisedTerms: null });
  });

  it('offers a longer lock where there is no time to settle', () => {
    expect(gate({ lockUnits: 19 })).toMatchObject({ code: 'lock-too-short', revisedTerms: { lockUnits: 20 } });
  });

  it('refuses what lies beyond all money', () => {
    expect(gate({ priceSat: 0n })).toMatchObject({ code: 'terms-out-of-range' });
    expect(gate({ priceSat: 2n ** 63n })).toMatchObject({ code: 'terms-out-of-range' });
    expect(gate({ settlementFeeSat: 2n ** 63n })).toMatchObject({ code: 'terms-out-of-range' });
  });

  it('limits joins that wait, by address, subnet and node; not by address on this machine', () => {
    expect(gateJoin(REQUEST, QUIET, { ...NOBODY, address: 4 }, policyWith())).toMatchObject({ code: 'address-joins' });
    expect(gateJoin(REQUEST, QUIET, { ...NOBODY, subnet: 64 }, policyWith())).toMatchObject({ code: 'subnet-joins' });
    expect(gateJoin(REQUEST, QUIET, { ...NOBODY, node: 2_000 }, policyWith())).toMatchObject({ code: 'node-joins' });
    expect(gateJoin(REQUEST, QUIET, { ...NOBODY, address: 4, isLocal: true }, policyWith())).toBeNull();
  });
});
