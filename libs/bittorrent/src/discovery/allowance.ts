/** So many units per second, with a reserve for bursts. May be overdrawn by who must; then nothing is left for a while. */
export class Allowance {
  private left: number;
  private atMs = performance.now();

  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
  ) {
    this.left = burst;
  }

  /** Units that may be spent now; negative when overdrawn. */
  get available(): number {
    const now = performance.now();
    this.left = Math.min(this.burst, this.left + ((now - this.atMs) * this.perSecond) / 1000);
    this.atMs = now;
    return this.left;
  }

  spend(units: number): void {
    this.left = this.available - units;
  }

  /** Spends one unit if there is one. */
  take(): boolean {
    if (this.available < 1) return false;
    this.left -= 1;
    return true;
  }
}
