import { policyWith } from '@seedfleet/policy';
import { beforeEach, describe, expect, it } from 'vitest';
import { DialList } from './dial-list.js';

const limits = { ...policyWith().dialling, maxCandidates: 6, maxCandidatesPerTorrent: 3 };
const address = (port: number) => ({ host: '192.0.2.1', port });

describe('DialList', () => {
  let now: number;
  let list: DialList;
  beforeEach(() => {
    now = 0;
    list = new DialList(limits, () => now);
  });
  const ports = (most = 10): number[] => list.due(most).map((candidate) => candidate.address.port);

  it('offers JoyStream peers first, each once, and nobody who is busy', () => {
    list.add('a', address(1), false);
    list.add('a', address(2), true);
    list.add('a', address(1), false);
    expect([list.size, ports()]).toEqual([2, [2, 1]]);
    for (const candidate of list.due(1)) candidate.busy = true;
    expect(ports()).toEqual([1]);
  });

  it('waits a minute at least, longer after each failure, and no longer than an hour', () => {
    list.add('a', address(1), false);
    const pauses: number[] = [];
    for (let failures = 0; failures < 9; failures++) {
      const [candidate] = list.due(1);
      if (candidate === undefined) throw new Error('nobody is due');
      candidate.busy = true;
      list.finished(candidate, false);
      const before = now;
      // Hearing of the address again does not shorten the pause.
      list.add('a', address(1), true);
      while (list.due(1).length === 0) now += 1_000;
      pauses.push((now - before) / 60_000);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it('keeps its bounds, and prefers the unknown to who failed', () => {
    for (let port = 1; port <= 5; port++) list.add('a', address(port), false);
    expect(ports()).toEqual([1, 2, 3]);
    const [first] = list.due(1);
    if (first !== undefined) list.finished(first, false);
    list.add('a', address(4), false);
    expect(ports()).toEqual([2, 3, 4]);
    for (const torrent of ['b', 'c']) for (let port = 1; port <= 3; port++) list.add(torrent, address(port), false);
    expect(list.size).toBe(6);
    list.forget('a');
    expect(list.size).toBe(3);
    list.add('c', address(9), false);
    expect(list.size).toBe(4);
  });
});
