import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { projectFile } from './files.js';
import { manifestFaults } from './manifests/manifest-faults.js';
import { kubectl, OVERLAYS, render, type Manifest, type Overlay } from './manifests/render.js';
import { shapeFaults } from './manifests/shapes.js';

let program: string;
beforeAll(async () => {
  program = await kubectl();
});

const rendered = (overlay: Overlay, components: readonly string[] = []): { manifests: Manifest[] } => {
  const found: { manifests: Manifest[] } = { manifests: [] };
  beforeAll(() => {
    found.manifests = render(program, overlay, components);
  });
  return found;
};

describe.each([
  ...OVERLAYS.map((overlay) => [overlay, []] as const),
  ...(['dev', 'prod'] as const).map((overlay) => [overlay, ['remote-signer']] as const),
])('k8s/overlays/%s with components %j', (overlay, components) => {
  const found = rendered(overlay, components);

  it('has the shape of Kubernetes’ schemas, without an unknown field', () => {
    expect(shapeFaults(found.manifests)).toEqual([]);
  });

  it('holds together: references, selectors, arrows, drains and limits', async () => {
    expect(await manifestFaults(found.manifests)).toEqual([]);
  });
});

describe('k8s/overlays/tower', () => {
  const found = rendered('tower');

  it('would be refused if anything of the fleet, or a key, were with it', async () => {
    const tower = found.manifests.find(({ kind }) => kind === 'Deployment');
    const text = JSON.stringify(tower).replaceAll('"name":"tower"', '"name":"channel-settler"');
    const settler = JSON.parse(text.replaceAll('seedfleet-tower', 'seedfleet-seed-key')) as Manifest;
    const faults = await manifestFaults([...found.manifests, settler]);
    expect(faults).toContain('the tower shares its cluster with channel-settler');
    expect(faults).toContain("channel-settler of the tower's cluster has the key of the seed");
  });
});

describe('k8s/overlays/prod', () => {
  const found = rendered('prod');

  it('has the dashboards that docker-compose.yml mounts, where Grafana’s sidecar finds them', () => {
    const files = readdirSync(projectFile('deploy/grafana/dashboards'));
    const maps = found.manifests.filter(({ metadata }) => metadata.labels?.['grafana_dashboard'] === '1');
    const shown = Object.assign({}, ...maps.map((map) => map['data'])) as Record<string, string>;
    expect(Object.keys(shown).sort()).toEqual(files.sort());
    for (const name of files) {
      expect(shown[name]).toBe(readFileSync(projectFile(`deploy/grafana/dashboards/${name}`), 'utf8'));
    }
  });
});

describe.each(['dev', 'prod'] as const)('k8s/overlays/%s', (overlay) => {
  const found = rendered(overlay);

  it.each([
    ['shape', '"terminationGracePeriodSeconds":7500', '"terminationGracePeriod":7500', 'terminationGracePeriod'],
    ['shape', '"serviceName":"swarm-node"', '"serviceName":5', 'StatefulSet swarm-node'],
    ['sense', '"terminationGracePeriodSeconds":7500', '"terminationGracePeriodSeconds":30', 'before they have drained'],
    ['sense', '"seedfleet/uses-bitcoin":"true"', '"seedfleet/uses-redis":"true"', 'chain-watcher may reach'],
    ['sense', '"secretName":"seedfleet-swarm-node"', '"secretName":"gone"', 'swarm-node needs Secret gone'],
  ])('would be refused for its %s if %s were %s', async (by, from, to, complaint) => {
    const text = JSON.stringify(found.manifests);
    expect(text).toContain(from);
    const spoilt = JSON.parse(text.replace(from, to)) as Manifest[];
    const faults = by === 'shape' ? shapeFaults(spoilt) : await manifestFaults(spoilt);
    expect(faults.join('\n')).toContain(complaint);
  });
});

it('would refuse a settler that keeps the seed beside a signer', async () => {
  const whole = render(program, 'prod', ['remote-signer']);
  const settler = render(program, 'prod').find(
    ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'channel-settler',
  );
  const spoilt = whole.map((each) =>
    each.kind === 'Deployment' && each.metadata.name === 'channel-settler' ? (settler ?? each) : each,
  );
  expect((await manifestFaults(spoilt)).join('\n')).toContain('others hold the seed');
});
