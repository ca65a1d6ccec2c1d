import type { Origin } from './origin.js';

/** Sums of something per address, subnet and node, kept exactly as long as they are not zero. */
export class Tally {
  private readonly addresses = new Map<string, number>();
  private readonly subnets = new Map<string, number>();
  private total = 0;

  get node(): number {
    return this.total;
  }

  address(origin: Origin): number {
    return this.addresses.get(origin.address) ?? 0;
  }

  subnet(origin: Origin): number {
    return this.subnets.get(origin.subnet) ?? 0;
  }

  /** Adds a positive or negative amount. */
  add(origin: Origin, amount: number): void {
    this.total += amount;
    change(this.addresses, origin.address, amount);
    change(this.subnets, origin.subnet, amount);
  }
}

function change(sums: Map<string, number>, key: string, amount: number): void {
  const sum = (sums.get(key) ?? 0) + amount;
  if (sum === 0) sums.delete(key);
  else sums.set(key, sum);
}
