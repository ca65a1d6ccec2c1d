import { statfs } from 'node:fs/promises';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

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

/** What a service removes of its tables because it is past its time. */
export function retentionMetrics(registry: Registry) {
  const registers = [registry];
  return {
    rows: new Counter({
      name: 'seedfleet_retention_rows_total',
      help: 'Rows removed or reduced because they were past their time, by kind',
      labelNames: ['kind'],
      registers,
    }),
    doneAt: new Gauge({
      name: 'seedfleet_retention_done_timestamp_seconds',
      help: 'When nothing was left that is past its time; 0 where another process of the service does it',
      registers,
    }),
  };
}

/** Shows how full the file system is that a service keeps its files on. */
export function diskMetrics(registry: Registry, folder: string): void {
  const registers = [registry];
  new Gauge({
    name: 'seedfleet_disk_size_bytes',
    help: "Size of the file system that holds the service's files, bytes",
    registers,
    async collect() {
      const { bsize, blocks } = await statfs(folder);
      this.set(bsize * blocks);
    },
  });
  new Gauge({
    name: 'seedfleet_disk_free_bytes',
    help: 'Bytes that the service may still write to the file system that holds its files',
    registers,
    async collect() {
      const { bsize, bavail } = await statfs(folder);
      this.set(bsize * bavail);
    },
  });
}
