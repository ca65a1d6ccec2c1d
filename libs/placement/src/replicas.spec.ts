import { expect, it } from 'vitest';
import { DEFAULT_REPLICAS, wantedReplicas } from './index.js';

it('follows demand between its bounds, and does not flutter at a step', () => {
  expect(wantedReplicas(0, 0)).toBe(2);
  expect(wantedReplicas(601, 2)).toBe(4);
  expect(wantedReplicas(1e9, 4)).toBe(DEFAULT_REPLICAS.max);
  // Four nodes are needed above 600 a day; slightly less keeps them, much less does not.
  expect(wantedReplicas(590, 4)).toBe(4);
  expect(wantedReplicas(400, 4)).toBe(3);
  expect(wantedReplicas(0, 8)).toBe(2);
});
