/** What has been paid, over all connections and contracts of one download; bounded by the connections that stand. */
export class PaymentTotals {
  private finishedSat = 0n;
  private readonly running = new Map<number, bigint>();
  /** Payments sent. */
  count = 0;

  /** @param paidSat in total over this connection's channel */
  paid(connection: number, paidSat: bigint): void {
    this.count += 1;
    this.running.set(connection, paidSat);
  }

  ended(connection: number): void {
    this.finishedSat += this.running.get(connection) ?? 0n;
    this.running.delete(connection);
  }

  get totalSat(): bigint {
    return [...this.running.values()].reduce((sum, sat) => sum + sat, this.finishedSat);
  }
}
