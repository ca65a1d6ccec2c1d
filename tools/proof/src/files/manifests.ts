import { containerFaults, kubectl, manifestFaults, OVERLAYS, render, shapeFaults } from '@seedfleet/deploy';
import type { Scorecard } from '../scorecard.js';

/**
 * Every overlay as the real kustomize renders them, from credentials made as an operator makes them, held against the
 * shapes of Kubernetes and of Prometheus' operator; compose file and Dockerfile. Nothing of it is run: there is neither a
 * cluster nor a container engine here.
 */
export async function proveManifests(_short: boolean, scores: Scorecard): Promise<void> {
  const program = await kubectl();
  for (const overlay of OVERLAYS) {
    const manifests = render(program, overlay);
    const count = `${manifests.length} objects of ${overlay}`;
    await scores.run(`${count} have the shape of Kubernetes' schemas, without an unknown field`, () =>
      Promise.resolve(shapeFaults(manifests)),
    );
    await scores.run(`${count} hold together: references, selectors, arrows, drains, limits, metrics`, () =>
      manifestFaults(manifests),
    );
  }
  await scores.run('docker-compose.yml and Dockerfile, by their text alone', () => Promise.resolve(containerFaults()));
}
