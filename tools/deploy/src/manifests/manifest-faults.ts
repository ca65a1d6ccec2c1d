import { z } from 'zod';
import { metricInventory, seriesOf } from '../monitoring/metric-inventory.js';
import { nameOf, type Manifest } from './render.js';

const named = z.looseObject({ name: z.string() });
const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).optional(),
  env: z.array(named).default([]),
  envFrom: z.array(z.looseObject({ configMapRef: named.optional(), secretRef: named.optional() })).default([]),
  ports: z.array(z.looseObject({ name: z.string(), containerPort: z.number() })).default([]),
  readinessProbe: z.looseObject({}).optional(),
  livenessProbe: z.looseObject({}).optional(),
  resources: z.looseObject({
    requests: z.record(z.string(), z.string()),
    limits: z.record(z.string(), z.string()),
  }),
  securityContext: z.looseObject({
    allowPrivilegeEscalation: z.boolean(),
    readOnlyRootFilesystem: z.boolean(),
    capabilities: z.looseObject({ drop: z.array(z.string()) }),
  }),
});
const podSpec = z.looseObject({
  hostNetwork: z.boolean().default(false),
  automountServiceAccountToken: z.boolean(),
  terminationGracePeriodSeconds: z.number().default(30),
  securityContext: z.looseObject({ runAsNonRoot: z.boolean() }),
  affinity: z.looseObject({}).optional(),
  containers: z.array(container),
  volumes: z
    .array(
      z.looseObject({
        name: z.string(),
        secret: z.looseObject({ secretName: z.string() }).optional(),
        configMap: named.optional(),
        persistentVolumeClaim: z.looseObject({ claimName: z.string() }).optional(),
      }),
    )
    .default([]),
});
const workloadSpec = z.looseObject({
  replicas: z.number().optional(),
  template: z.looseObject({
    metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
    spec: podSpec,
  }),
});
const selecting = z.looseObject({ selector: z.record(z.string(), z.string()).optional() });
const matching = z.looseObject({ selector: z.looseObject({ matchLabels: z.record(z.string(), z.string()) }) });

interface Workload {
  readonly name: string;
  readonly kind: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly pod: z.output<typeof podSpec>;
}

/** The arrows of docs/ARCHITECTURE.md as the pods' labels, which the network policies go by. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  'chain-watcher': ['bitcoin', 'nats', 'postgres'],
  'channel-intake': ['nats', 'postgres', 'redis'],
  'channel-settler': ['nats', 'postgres', 'redis'],
  'channel-signer': ['nats'],
  'market-api': ['nats', 'postgres', 'redis'],
  migrate: ['postgres'],
  tower: ['bitcoin', 'nats', 'postgres'],
};
/** What only whoever signs may mount. */
const SEED = /^seedfleet-seed(-key)?$/;
const USES = 'seedfleet/uses-';
const POD_KINDS = ['Deployment', 'StatefulSet', 'Job'];
/** The longest drain and what the last payments may take. */
const NODE_GRACE_SECONDS = 7_500;

/** What an operator would trip over in an overlay that has the right shape. */
export async function manifestFaults(manifests: readonly Manifest[]): Promise<string[]> {
  const workloads = manifests.filter(({ kind }) => POD_KINDS.includes(kind)).map(workloadOf);
  return [
    ...doubles(manifests),
    ...workloads.flatMap(safetyFaults),
    ...workloads.flatMap((workload) => referenceFaults(workload, manifests)),
    ...workloads.flatMap(arrowFaults),
    ...(workloads.some(({ name }) => name === 'tower') ? towerFaults(workloads) : nodeFaults(workloads)),
    ...selectorFaults(manifests, workloads),
    ...(await scalingFaults(manifests)),
  ];
}

function workloadOf(manifest: Manifest): Workload {
  const { template } = workloadSpec.parse(manifest['spec']);
  return { name: manifest.metadata.name, kind: manifest.kind, labels: template.metadata.labels, pod: template.spec };
}

function doubles(manifests: readonly Manifest[]): string[] {
  const seen = new Set<string>();
  return manifests.flatMap((manifest) => {
    const name = nameOf(manifest);
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [`${name} is there twice`];
  });
}

function safetyFaults({ name, kind, pod }: Workload): string[] {
  const faults: string[] = [];
  if (!pod.securityContext.runAsNonRoot) faults.push('may run as root');
  if (pod.automountServiceAccountToken) faults.push('has a token of the cluster');
  for (const { securityContext, resources, readinessProbe, livenessProbe } of pod.containers) {
    if (!securityContext.readOnlyRootFilesystem) faults.push('can write its root');
    if (securityContext.allowPrivilegeEscalation) faults.push('may gain privileges');
    if (!securityContext.capabilities.drop.includes('ALL')) faults.push('keeps capabilities');
    if (resources.limits['memory'] === undefined) faults.push('has no memory limit');
    if (kind === 'Job') continue;
    if (readinessProbe === undefined) faults.push('is ready without being asked');
    const ours = pod.containers.some(({ command }) => command?.[0] === 'node');
    if (ours && livenessProbe === undefined) faults.push('would hang for ever');
  }
  return faults.map((fault) => `${name} ${fault}`);
}

/** Secrets, config maps and claims that a pod names, and that are not there. */
function referenceFaults({ name, pod }: Workload, manifests: readonly Manifest[]): string[] {
  const has = (kind: string, wanted: string | undefined): boolean =>
    wanted === undefined || manifests.some((each) => each.kind === kind && each.metadata.name === wanted);
  const wanted: [string, string | undefined][] = [
    ...pod.volumes.flatMap(({ secret, configMap, persistentVolumeClaim: claim }): [string, string | undefined][] => [
      ['Secret', secret?.secretName],
      ['ConfigMap', configMap?.name],
      ['PersistentVolumeClaim', claim?.claimName],
    ]),
    ...pod.containers.flatMap(({ envFrom }) =>
      envFrom.flatMap(({ configMapRef, secretRef }): [string, string | undefined][] => [
        ['ConfigMap', configMapRef?.name],
        ['Secret', secretRef?.name],
      ]),
    ),
  ];
  return wanted.filter(([kind, what]) => !has(kind, what)).map(([kind, what]) => `${name} needs ${kind} ${what}`);
}

function arrowFaults({ name, labels, pod }: Workload): string[] {
  if (pod.hostNetwork || labels['app.kubernetes.io/part-of'] !== 'seedfleet') return [];
  const drawn = Object.keys(labels)
    .filter((label) => label.startsWith(USES))
    .map((label) => label.slice(USES.length))
    .sort();
  const expected = ARROWS[name];
  if (expected?.join() === drawn.join()) return [];
  return [`${name} may reach ${drawn.join(', ') || 'nothing'} instead of ${expected?.join(', ') ?? 'nothing'}`];
}

function nodeFaults(workloads: readonly Workload[]): string[] {
  const nodes = workloads.find(({ name }) => name === 'swarm-node');
  if (nodes === undefined) return ['there are no swarm-nodes'];
  const faults: string[] = [];
  const { pod } = nodes;
  const [main] = pod.containers;
  if (nodes.kind !== 'StatefulSet') faults.push('are no StatefulSet');
  if (!pod.hostNetwork) faults.push("are not on their host's network");
  if (pod.affinity === undefined) faults.push('may share a host');
  if (pod.terminationGracePeriodSeconds < NODE_GRACE_SECONDS) faults.push('are killed before they have drained');
  if (main?.resources.limits['cpu'] !== undefined) faults.push('have a processor limit, which throttles their upload');
  const keys = workloads.filter(({ pod: { containers } }) =>
    containers.some(({ env }) => env.some(({ name }) => name === 'SEED_FILE')),
  );
  const holder = workloads.some(({ name }) => name === 'channel-signer') ? 'channel-signer' : 'channel-settler';
  const reach = workloads.filter(({ pod: { volumes } }) =>
    volumes.some(({ secret, persistentVolumeClaim: claim }) =>
      [secret?.secretName.replace(/-[a-z0-9]{10}$/, ''), claim?.claimName].some((each) => SEED.test(each ?? '')),
    ),
  );
  for (const found of [keys, reach]) {
    if (found.map(({ name }) => name).join() !== holder) faults.push('or others hold the seed');
  }
  return faults.map((fault) => `swarm-nodes ${fault}`);
}

/** The tower stands alone, and has nothing that is worth stealing. */
function towerFaults(workloads: readonly Workload[]): string[] {
  const others = workloads.filter(({ name }) => name !== 'tower' && name !== 'migrate');
  const keys = workloads.filter(({ pod: { volumes } }) =>
    volumes.some(({ secret }) => secret !== undefined && /seed-key/.test(secret.secretName)),
  );
  return [
    ...others.map(({ name }) => `the tower shares its cluster with ${name}`),
    ...keys.map(({ name }) => `${name} of the tower's cluster has the key of the seed`),
  ];
}

/** Services, disruption budgets and monitors that select nothing. */
function selectorFaults(manifests: readonly Manifest[], workloads: readonly Workload[]): string[] {
  const fits = (labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean =>
    Object.entries(wanted).every(([key, value]) => labels[key] === value);
  return manifests.flatMap((manifest) => {
    const { kind } = manifest;
    let wanted: Readonly<Record<string, string>> | undefined;
    let among: readonly Readonly<Record<string, string>>[] = workloads.map(({ labels }) => labels);
    if (kind === 'Service') wanted = selecting.parse(manifest['spec']).selector;
    else if (kind === 'PodDisruptionBudget') wanted = matching.parse(manifest['spec']).selector.matchLabels;
    else if (kind === 'ServiceMonitor') {
      wanted = matching.parse(manifest['spec']).selector.matchLabels;
      among = manifests.filter((each) => each.kind === 'Service').map(({ metadata }) => metadata.labels ?? {});
    }
    if (wanted === undefined || among.some((labels) => fits(labels, wanted))) return [];
    return [`${nameOf(manifest)} selects nothing`];
  });
}

const autoscaler = z.looseObject({
  scaleTargetRef: z.looseObject({ kind: z.string(), name: z.string() }),
  metrics: z.array(z.looseObject({ pods: z.looseObject({ metric: z.looseObject({ name: z.string() }) }).optional() })),
});

async function scalingFaults(manifests: readonly Manifest[]): Promise<string[]> {
  const inventory = await metricInventory();
  // The adapter serves a counter's rate under this name (k8s/monitoring/adapter.yaml).
  const series = new Set([...inventory.values()].flatMap(seriesOf));
  const served = (name: string): boolean => series.has(name) || series.has(name.replace(/_per_second$/, '_total'));
  return manifests
    .filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
    .flatMap((manifest) => {
      const { scaleTargetRef: target, metrics } = autoscaler.parse(manifest['spec']);
      const there = manifests.some(({ kind, metadata }) => kind === target.kind && metadata.name === target.name);
      const unknown = metrics
        .flatMap(({ pods }) => (pods === undefined ? [] : [pods.metric.name]))
        .filter((n) => !served(n));
      return [
        ...(there ? [] : [`${nameOf(manifest)} scales nothing`]),
        ...unknown.map((name) => `${nameOf(manifest)} goes by ${name}, which no service has`),
      ];
    });
}
