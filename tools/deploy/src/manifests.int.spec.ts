import { beforeAll, describe, expect, it } from 'vitest';
import { manifestFaults } from './manifests/manifest-faults.js';
import { kubectl, OVERLAYS, render, type Manifest } from './manifests/render.js';
import { shapeFaults } from './manifests/shapes.js';

let program: string;
beforeAll(async () => {
  program = await kubectl();
});

describe.each(OVERLAYS)('k8s/overlays/%s', (overlay) => {
  let manifests: Manifest[];
  beforeAll(() => {
    manifests = render(program, overlay);
  });

  it('has the shape of Kubernetes’ schemas, without an unknown field', () => {
    expect(shapeFaults(manifests)).toEqual([]);
  });

  it('holds together: references, selectors, arrows, drains and limits', async () => {
    expect(await manifestFaults(manifests)).toEqual([]);
  });

  it.each([
    ['shape', '"terminationGracePeriodSeconds":7500', '"terminationGracePeriod":7500', 'terminationGracePeriod'],
    ['shape', '"serviceName":"swarm-node"', '"serviceName":5', 'StatefulSet swarm-node'],
    ['sense', '"terminationGracePeriodSeconds":7500', '"terminationGracePeriodSeconds":30', 'before they have drained'],
    ['sense', '"seedfleet/uses-bitcoin":"true"', '"seedfleet/uses-redis":"true"', 'chain-watcher may reach'],
    ['sense', '"secretName":"seedfleet-swarm-node"', '"secretName":"gone"', 'swarm-node needs Secret gone'],
  ])('would be refused for its %s if %s were %s', async (by, from, to, complaint) => {
    const text = JSON.stringify(manifests);
    expect(text).toContain(from);
    const spoilt = JSON.parse(text.replace(from, to)) as Manifest[];
    const faults = by === 'shape' ? shapeFaults(spoilt) : await manifestFaults(spoilt);
    expect(faults.join('\n')).toContain(complaint);
  });
});
