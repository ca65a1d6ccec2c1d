import { describe, expect, it } from 'vitest';
import { fleetSignature, placementNode, publicHost, type PlacementNodeRow } from './placement-node.js';

const nowMs = 1_000_000;
const view = { nowMs, believesSilence: true, regtest: false };
const row: PlacementNodeRow = {
  id: 'n',
  peerAddress: '192.0.2.7:7881',
  zone: 'a',
  weight: 1,
  capacityBytes: null,
  maxTorrents: 5,
  lastSeenAt: new Date(nowMs - 1_000),
  draining: false,
  cordoned: false,
};

describe('a node as placement sees it', () => {
  it('is open while it is heard of and wanted', () => {
    const standing = (change: Partial<PlacementNodeRow>, seen = view) =>
      placementNode({ ...row, ...change }, seen).standing;
    const silent = { lastSeenAt: new Date(nowMs - 60_000) };
    expect(standing({})).toBe('open');
    expect(standing({ draining: true })).toBe('closing');
    expect(standing({ cordoned: true })).toBe('closing');
    expect(standing({ ...silent, cordoned: true })).toBe('gone');
    expect(standing(silent, { ...view, believesSilence: false })).toBe('open');
  });

  it('is told apart by its public host, on a test machine by its port as well', () => {
    expect(publicHost('192.0.2.7:7881', true)).toBe('192.0.2.7');
    expect(publicHost('[2001:db8::1]:7881', false)).toBe('[2001:db8::1]');
    expect(publicHost('127.0.0.1:1', true)).not.toBe(publicHost('127.0.0.1:2', true));
    expect(publicHost('127.0.0.1:1', false)).toBe(publicHost('127.0.0.1:2', false));
  });

  it('changes the signature of the fleet with anything that matters, and with nothing else', () => {
    const signature = (change: Partial<PlacementNodeRow>) =>
      fleetSignature([placementNode({ ...row, ...change }, view)]);
    expect(signature({ lastSeenAt: new Date(nowMs - 2_000) })).toBe(signature({}));
    for (const change of [
      { zone: 'b' },
      { weight: 2 },
      { cordoned: true },
      { capacityBytes: 5n },
      { maxTorrents: null },
    ]) {
      expect(signature(change)).not.toBe(signature({}));
    }
  });
});
