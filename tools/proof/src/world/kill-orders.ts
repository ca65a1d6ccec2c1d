import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultPoint } from '@seedfleet/service-kit';

/** Where each service finds the order for its death. */
export class KillOrders {
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  /** The variables that make a service look for its order. */
  environment(service: string): Record<string, string> {
    return { SEEDFLEET_KILL_AT: `@${this.file(service)}` };
  }

  /** The service dies at the n-th passage of the point from now on. */
  give(service: string, point: FaultPoint, passage = 1): void {
    writeFileSync(this.file(service), `${point}#${passage}`);
  }

  /** Whether the order still waits: the point was not passed. */
  waits(service: string): boolean {
    return existsSync(this.file(service));
  }

  withdraw(service: string): void {
    rmSync(this.file(service), { force: true });
  }

  private file(service: string): string {
    return join(this.folder, service);
  }
}
