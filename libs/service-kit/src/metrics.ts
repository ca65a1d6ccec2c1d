import { collectDefaultMetrics, Counter, Registry } from 'prom-client';

export { Counter, Gauge, Histogram, Registry, Summary } from 'prom-client';

/** A registry with the process's own metrics; services add theirs, each with help and unit in its name. */
export function createRegistry(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** Counts messages of the bus that were refused, by code and subject. */
export function busRejections(registry: Registry): Counter<'code' | 'subject'> {
  return new Counter({
    name: 'seedfleet_bus_rejected_total',
    help: 'Bus messages refused, by code and subject',
    labelNames: ['code', 'subject'],
    registers: [registry],
  });
}
